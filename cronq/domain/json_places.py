"""Where things are in a JSON text: the names of places, such as `jobs[3].schedule`, and their lines."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

#: A key, cut when it is long, or an index.
Step = str | int
Path = tuple[Step, ...]
#: The steps that lead to some places, each with the steps that go on from there.
Ways = dict[Step, "Ways"]

STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
#: Colons are left out: they say nothing that the order does not.
_TOKEN = re.compile(rf'{STRING}|[\[\]{{}},]|[^\s\[\]{{}},:"]+')
_PLAIN_KEY = re.compile(r"[\w-]+")
_PLACE_PART = re.compile(rf"\.?(?P<plain>[\w-]+)|\[(?P<index>\d+)\]|\[(?P<quoted>{STRING})\]")
_KEY_SHOWN = 60  # characters
_ELSEWHERE: Ways = {}


class Spot(NamedTuple):
    """A key or a value in a text."""

    path: Path
    #: Characters before it.
    offset: int
    #: From 1.
    line: int
    #: Whether it is a key that its object had already.
    repeated: bool


def member(place: str, key: str) -> str:
    """The place of a member of the object at `place`; an odd key is quoted, a long one cut."""
    step = _short(key)
    if not _PLAIN_KEY.fullmatch(step):
        return f"{place}[{json.dumps(step)}]"
    return f"{place}.{step}" if place else step


def element(place: str, index: int) -> str:
    """The place of an element of the list at `place`."""
    return f"{place}[{index}]"


def place_of(path: Path) -> str:
    """The name of the place that these steps lead to; empty for the whole document."""
    place = ""
    for step in path:
        place = member(place, step) if isinstance(step, str) else element(place, step)
    return place


def path_of(place: str) -> Path:
    """The steps that lead to a place, as jsonschema gives them."""
    return tuple(_step(part) for part in _PLACE_PART.finditer(place))


def spots(text: str, wanted: Iterable[Path] = ()) -> Iterator[Spot]:
    """What lies on the ways to the wanted places, and every repeated key, in the order of the text.

    The text must be JSON. A member has two spots: that of its key and then that of its value.
    """
    container = _Container(None, _ways(wanted), 0)
    offset, line = 0, 1
    for match in _TOKEN.finditer(text):
        symbol = match[0]
        if symbol in {"]", "}"}:
            assert container.outer is not None
            container = container.outer
        elif symbol == ",":
            container.step_on()
        else:
            repeated = container.step is None and container.step_to(symbol)
            if repeated or container.step in container.ways:
                line += text.count("\n", offset, match.start())
                offset = match.start()
                yield Spot(container.path(), offset, line, repeated)
            if symbol in {"[", "{"}:
                container = container.inner(0 if symbol == "[" else None)


@dataclass(slots=True)
class _Container:
    """An object or a list that the walk is in; outermost, a list of the one document."""

    outer: "_Container | None"
    #: From here to the wanted places.
    ways: Ways
    #: Where in the container the walk is; None when the key of a member comes next.
    step: Step | None
    keys: set[str] = field(default_factory=set)

    def step_to(self, symbol: str) -> bool:
        """Go to the member of this key; True when the object has had it before."""
        key = json.loads(symbol) if "\\" in symbol else symbol[1:-1]
        repeated = key in self.keys
        self.keys.add(key)
        self.step = _short(key)
        return repeated

    def step_on(self) -> None:
        """Go past a comma."""
        self.step = self.step + 1 if isinstance(self.step, int) else None

    def inner(self, step: Step | None) -> "_Container":
        """The container that opens here."""
        ways = _ELSEWHERE if self.step is None else self.ways.get(self.step, _ELSEWHERE)
        return _Container(self, ways, step)

    def path(self) -> Path:
        """The steps from the whole document to where the walk is."""
        steps = []
        container: _Container | None = self
        while container is not None:
            steps.append(container.step)
            container = container.outer
        return tuple(step for step in reversed(steps[:-1]) if step is not None)


def _ways(paths: Iterable[Path]) -> Ways:
    ways: Ways = {0: {}}
    for path in paths:
        here = ways[0]
        for step in path:
            here = here.setdefault(step, {})
    return ways


def _short(key: str) -> str:
    return key if len(key) <= _KEY_SHOWN else f"{key[:_KEY_SHOWN]}..."


def _step(part: re.Match[str]) -> Step:
    if part["index"]:
        return int(part["index"])
    return part["plain"] or str(json.loads(part["quoted"]))

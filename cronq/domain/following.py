"""Jobs that run after others: in which order, and for which slot."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from cronq.domain.rules import AfterSame


def find_cycle(after: Mapping[str, Sequence[str]]) -> list[str] | None:
    """Jobs of which each is to run after the next one, and the last after the first; None: there are none.

    `after` says of each job which others it is to run after. The walk keeps its own stack: a document may
    have a hundred thousand jobs in a row.
    """
    done: set[str] = set()
    for begin in after:
        if begin in done:
            continue
        path, places = [begin], {begin: 0}
        ways: list[Iterator[str]] = [iter(after[begin])]
        while ways:
            name = next(ways[-1], None)
            if name is None:
                ways.pop()
                done.add(last := path.pop())
                del places[last]
            elif name in places:
                return path[places[name] :]
            elif name not in done and name in after:
                places[name] = len(path)
                path.append(name)
                ways.append(iter(after[name]))
    return None


def slot_after(same: AfterSame, slot: datetime) -> datetime:
    """The slot of a run that follows one with this slot: the same, or the beginning of its day."""
    return slot if same is AfterSame.SLOT else slot.replace(hour=0, minute=0, second=0, microsecond=0)

"""The law of the house: imports point one way, the outside comes in by one door, everything stays small."""

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

_ROOT = Path(__file__).resolve().parents[1]

_BELOW = {
    "domain": set[str](),
    "broker": {"domain"},
    "database": {"domain"},
    "execution": {"domain"},
    "services": {"domain", "broker", "database", "execution"},
    "web": {"domain", "broker", "database", "execution"},
    "commands": {"domain", "broker", "database", "execution", "services", "web", "validator"},
    "validator": {"domain"},
    "__init__": set[str](),
}
"""What each room of cronq may import, besides itself."""

_DOORS = {
    "pika": ("cronq/broker/amqp/",),
    "sqlalchemy": ("cronq/database/", "cronq/commands/"),
    "alembic": ("cronq/database/",),
    "pymysql": ("cronq/database/",),
    "argon2": ("cronq/database/",),
    "klein": ("cronq/web/",),
    "jinja2": ("cronq/web/",),
    "twisted.internet.reactor": ("cronq/commands/",),
    "os.environ": ("cronq/commands/",),
    "os.getenv": ("cronq/commands/",),
}
"""Who may use what comes from outside; nobody else does."""

_IMPURE = {
    "asyncio",
    "logging",
    "multiprocessing",
    "os",
    "socket",
    "subprocess",
    "threading",
    "time",
    "twisted",
}
"""What the domain does without, beside everything that has a door."""

_MAXIMAL_FILE, _MAXIMAL_TEST_FILE, _MAXIMAL_FUNCTION = 250, 500, 40


def _names_used(tree: ast.AST) -> Iterator[str]:
    """Every dotted name that a module imports or reaches through an import, as `package.module.name`."""
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                aliases |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in names}
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                yield from (f"{'.' * level}{module or ''}.{alias.name}" for alias in names)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in aliases:
                yield f"{aliases[name]}.{attribute}"


def _is_in(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def _room(path: str) -> str:
    return path.split("/")[1].removesuffix(".py")


def _import_faults(path: str, source: str) -> list[str]:
    """What is wrong with the imports of one file of cronq; `path` is relative to the checkout."""
    room = _room(path)
    if room not in _BELOW:
        return [f"{path}: no room of this name is in the law; add it to tests/test_imports.py"]
    names = sorted(set(_names_used(ast.parse(source))))
    rooms = {name.split(".")[1] for name in names if _is_in(name, "cronq") and "." in name}
    faults = [
        f"{path}: {room} imports {other}" for other in sorted(rooms - _BELOW[room] - {room, "__version__"})
    ]
    faults += [f"{path}: {name} is a relative import" for name in names if name.startswith(".")]
    for thing, doors in _DOORS.items():
        if not path.startswith(doors) and any(_is_in(name, thing) for name in names):
            faults.append(f"{path}: {thing} belongs to {' and '.join(doors)}")
    if room == "domain":
        faults += [
            f"{path}: the domain is pure, without {name}" for name in names if name.split(".")[0] in _IMPURE
        ]
    return faults


def _size_faults(path: str, source: str, maximum: int) -> list[str]:
    lines = len(source.splitlines())
    faults = [f"{path}: {lines} lines, more than {maximum}"] if lines > maximum else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > _MAXIMAL_FUNCTION:
                faults.append(
                    f"{path}:{node.lineno}: {node.name} has {length} lines, more than {_MAXIMAL_FUNCTION}"
                )
    return faults


def _sources(folder: str) -> Iterator[tuple[str, str]]:
    for path in sorted((_ROOT / folder).rglob("*.py")):
        yield path.relative_to(_ROOT).as_posix(), path.read_text()


class HouseTests(SynchronousTestCase):
    def _assert_none(self, faults: list[str]) -> None:
        if faults:
            self.fail("\n" + "\n".join(faults))

    def test_imports_point_one_way(self) -> None:
        """No room imports one above it or beside it, and nothing from outside enters by a second door."""
        self._assert_none(
            [fault for path, source in _sources("cronq") for fault in _import_faults(path, source)]
        )

    def test_plugins_import_nothing(self) -> None:
        """Any call of twistd is as fast with cronq installed as without: its plugins are strings."""
        for path, source in _sources("twisted/plugins"):
            names = {name.rpartition(".")[0] for name in _names_used(ast.parse(source))}
            self.assertEqual(names, {"twisted.application.service"}, path)

    def test_plugins_are_no_package(self) -> None:
        """Twisted's own plugins stay visible: a file `__init__.py` here would hide them."""
        self.assertEqual(sorted((_ROOT / "twisted").rglob("__init__.py")), [])

    def test_files_and_functions_are_small(self) -> None:
        """Whoever opens a file can read it."""
        faults = [
            fault
            for folder in ("cronq", "bench")
            for path, source in _sources(folder)
            for fault in _size_faults(path, source, _MAXIMAL_FILE)
        ]
        faults += [
            f for path, source in _sources("tests") for f in _size_faults(path, source, _MAXIMAL_TEST_FILE)
        ]
        self._assert_none(faults)


class LawTests(SynchronousTestCase):
    """The law itself finds what it forbids."""

    def _faults(self, path: str, source: str) -> list[str]:
        return [fault.partition(": ")[2] for fault in _import_faults(path, source)]

    def test_arrow_turned_round(self) -> None:
        """An import of a room above is found, in whichever way it is written."""
        for source in (
            "import cronq.web.pages.job",
            "from cronq.web import pages",
            "from cronq import web",
            "def f():\n    from cronq.web.pages.job import page",
        ):
            self.assertEqual(self._faults("cronq/database/jobs.py", source), ["database imports web"], source)

    def test_arrows_that_are_right(self) -> None:
        """What lies below may be imported, and the version by everybody."""
        source = "from cronq import __version__\nfrom cronq.domain import jobs\nfrom cronq.web import pages"
        self.assertEqual(self._faults("cronq/web/api/jobs.py", source), [])

    def test_relative_import(self) -> None:
        """A relative import would pass the law unseen, so there is none."""
        self.assertEqual(
            self._faults("cronq/web/api/jobs.py", "from . import x"), ["..x is a relative import"]
        )

    def test_second_door(self) -> None:
        """What has a door is found elsewhere, as a module, as a name in it and as an attribute."""
        for thing, source in (
            ("pika", "from pika.adapters import twisted_connection"),
            ("sqlalchemy", "import sqlalchemy as sa"),
            ("twisted.internet.reactor", "from twisted.internet import reactor"),
            ("os.environ", "from os import environ"),
            ("os.environ", "import os\nx = os.environ['HOME']"),
            ("os.getenv", "import os as system\nx = system.getenv('HOME')"),
        ):
            (fault,) = self._faults("cronq/services/runner.py", source)
            self.assertTrue(fault.startswith(f"{thing} belongs to "), fault)

    def test_neighbour_of_a_door(self) -> None:
        """What only begins like a thing with a door is free."""
        source = "import os\nfrom twisted.internet.reactors import x\nfrom pikachu import y\nz = os.path"
        self.assertEqual(self._faults("cronq/services/runner.py", source), [])

    def test_impure_domain(self) -> None:
        """The domain has no clock, no I/O and no Twisted."""
        source = "from twisted.python.failure import Failure\nimport time"
        self.assertEqual(len(self._faults("cronq/domain/jobs.py", source)), 2)

    def test_unknown_room(self) -> None:
        """A new room needs a place in the law."""
        self.assertEqual(len(self._faults("cronq/attic/jobs.py", "")), 1)

    def test_too_long(self) -> None:
        """A long file and a long function are found, with the place."""
        source = "def f():\n" + "    x = 1\n" * 40
        self.assertEqual(_size_faults("a.py", source, 41), ["a.py:1: f has 41 lines, more than 40"])
        self.assertEqual(_size_faults("a.py", "x = 1\n" * 3, 2), ["a.py: 3 lines, more than 2"])

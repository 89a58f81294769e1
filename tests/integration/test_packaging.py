"""What a user gets: the wheel, installed into an environment that has nothing else of cronq."""

import ast
import configparser
import functools
import importlib.metadata
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from http import HTTPStatus
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests import servers
from tests.servers.server import base_environment, wait_until

_OPTIONS = {
    "cronq": "--listen",
    "cronq-injector": "--interval",
    "cronq-results": "--rabbitmq-url",
    "cronq-runner": "--queue",
    "cronq-web": "--listen",
}
"""The daemons, and an option of each."""

_PLUGINS = _OPTIONS.keys()
_SCRIPTS = _PLUGINS | {"cronq-pruner", "cronq-validator"}

_COME_WITH_TWISTED = {"pyopenssl", "service-identity", "zope-interface"}
"""What `Twisted[tls]` itself requires, and shows in its own interfaces."""

_NOT_SHIPPED = ("__pycache__", "*.pyc", "dropin.cache")


def _run(*command: object, folder: Path) -> str:
    """Run a command as somebody would who has nothing set; answers its output, or raises with it."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=base_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def _pip(*arguments: object, folder: Path) -> None:
    _run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, folder=folder)


@functools.cache
def sources() -> Path:
    """A copy of what the distribution is built from, without traces of earlier builds."""
    copy = servers.sandbox().new_folder("sources")
    for name in ("cronq", "twisted"):
        shutil.copytree(servers.ROOT / name, copy / name, ignore=shutil.ignore_patterns(*_NOT_SHIPPED))
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(servers.ROOT / name, copy / name)
    return copy


@functools.cache
def wheel() -> Path:
    """The wheel, built once."""
    folder = servers.sandbox().new_folder("wheel")
    _pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", folder, sources(), folder=folder)
    return next(folder.glob("*.whl"))


def new_environment() -> Path:
    """An environment with all that cronq requires and nothing of cronq; answers its Python."""
    folder = servers.sandbox().new_folder("environment")
    _run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder)
    python = folder / "bin" / "python"
    packages = Path(
        _run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=folder).strip()
    )
    (packages / "requirements.pth").write_text(sysconfig.get_path("purelib"))
    twistd = Path(sys.executable).with_name("twistd")
    shutil.copy(twistd, python.with_name("twistd"))
    return python


@functools.cache
def environment_with_wheel() -> Path:
    """The Python of an environment in which the wheel is installed."""
    python = new_environment()
    _pip("--python", python, "install", "--no-deps", "--no-index", wheel(), folder=python.parent)
    return python


def commands_of_twistd(python: Path) -> dict[str, str]:
    """What twistd in an environment can start, and how it describes it, asked from a folder elsewhere."""
    elsewhere = servers.sandbox().new_folder("elsewhere")
    text = _run(python, python.with_name("twistd"), "--help", folder=elsewhere).partition("Commands:")[2]
    lines = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return {line[0]: line[-1] for line in lines}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required_distributions() -> set[str]:
    """The names of all that setup.cfg requires for more than the tests, in their canonical form."""
    configuration = configparser.ConfigParser()
    configuration.read(servers.ROOT / "setup.cfg")
    extras = configuration["options.extras_require"]
    texts = [
        configuration["options"]["install_requires"],
        *(extras[name] for name in extras if name != "test"),
    ]
    lines = [line for text in texts for line in text.splitlines() if line]
    return {_canonical(re.split(r"[\s\[<>=]", line)[0]) for line in lines}


def imported_packages() -> set[str]:
    """The top-level packages that cronq imports from elsewhere, at whatever place in its files."""
    trees = [ast.parse(path.read_text()) for path in (servers.ROOT / "cronq").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"cronq"}


class RequirementTests(SynchronousTestCase):
    def test_imports_are_required(self) -> None:
        """Whatever cronq imports is installed with it, or with one of its extras."""
        required = required_distributions() | _COME_WITH_TWISTED
        providers = importlib.metadata.packages_distributions()
        for package in sorted(imported_packages()):
            distributions = {_canonical(name) for name in providers.get(package, [package])}
            self.assertTrue(distributions & required, f"{package} is imported, {distributions} not required")


class WheelTests(SynchronousTestCase):
    def test_environment_is_empty(self) -> None:
        """The evidence of the other tests counts: without the wheel there is no command of cronq."""
        self.assertEqual(_PLUGINS & commands_of_twistd(new_environment()).keys(), set())

    def test_holds_all_of_cronq(self) -> None:
        """Each file of cronq is in the wheel, the data of pages and migrations too, and nothing else is."""
        names = [name for name in zipfile.ZipFile(wheel()).namelist() if ".dist-info/" not in name]
        copied = [
            path.relative_to(sources()).as_posix() for path in sources().glob("cronq/**/*") if path.is_file()
        ]
        self.assertEqual(sorted(names), sorted([*copied, "twisted/plugins/cronq_plugin.py"]))
        for folder in ("web/templates", "web/static", "database/migrations/versions"):
            self.assertTrue(any(name.startswith(f"cronq/{folder}/") for name in names), folder)

    def test_plugins(self) -> None:
        """All five daemons are commands of twistd, with a description, from whatever folder it is called."""
        commands = commands_of_twistd(environment_with_wheel())
        self.assertEqual(_PLUGINS - commands.keys(), set())
        self.assertEqual([name for name in _PLUGINS if commands[name] == name], [])

    def test_options_of_each_daemon(self) -> None:
        """The options of each daemon are explained by twistd."""
        python = environment_with_wheel()
        for name, option in _OPTIONS.items():
            text = _run(python, python.with_name("twistd"), name, "--help", folder=python.parent)
            self.assertIn(option, text, name)

    def test_console_scripts(self) -> None:
        """Each console script explains itself."""
        python = environment_with_wheel()
        for name in sorted(_SCRIPTS):
            text = _run(python.with_name(name), "--help", folder=python.parent)
            self.assertIn("usage", text.lower(), name)

    def test_all_in_one(self) -> None:
        """The installed cronq runs and serves its pages, with their style sheet."""
        port = servers.free_port()
        endpoint = f"tcp:{port}:interface=127.0.0.1"
        daemon = servers.Daemon(
            "cronq",
            "--listen",
            endpoint,
            "--state-path",
            "state",
            "--log-path",
            "log",
            python=environment_with_wheel(),
        )
        self.addCleanup(daemon.discard)
        for name in ("state", "log"):
            (daemon.folder / name).mkdir()
        daemon.start()
        daemon.wait_for_line(f":{port}")
        site = f"http://127.0.0.1:{port}"
        wait_until(lambda: servers.http_get(f"{site}/").status == HTTPStatus.OK, lambda: None)
        sheet = servers.http_get(f"{site}/").body.partition('rel="stylesheet" href="')[2].partition('"')[0]
        self.assertEqual(servers.http_get(f"{site}{sheet}").status, HTTPStatus.OK, sheet)


class EditableTests(SynchronousTestCase):
    def test_plugins(self) -> None:
        """After `pip install -e .` twistd shows all five daemons too."""
        python = new_environment()
        _pip(
            *("--python", python, "install", "--no-deps", "--no-index", "--no-build-isolation"),
            *("--editable", sources()),
            folder=python.parent,
        )
        self.assertEqual(_PLUGINS - commands_of_twistd(python).keys(), set())

"""Who may come in: the settings of the web that say so, and what they have to do with where it listens."""

import re
import shlex
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.commands.common import Values
from cronq.commands.settings import Setting, yes_or_no
from cronq.commands.stopping import end_in_failure
from cronq.database.gateway import Database
from cronq.database.users import any_users
from cronq.services.loop import Loop
from cronq.services.tables import Tables
from cronq.web.safety.door import AccessSettings
from cronq.web.safety.hosts import Hosts, is_loopback, parse_host
from cronq.web.safety.proxies import UNIX, Proxies

log = Logger()

#: Seconds between two looks at the database, when there are no tables and when all is well.
WITHOUT_TABLES, HOUR = 1.0, 3600.0
#: No names of a host, though browsers on this machine reach it by the first.
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104
#: Between the parts of an endpoint; within one, a colon follows a backslash.
_COLON = re.compile(r"(?<!\\):")


def proxy(value: str) -> str:
    """One that is trusted, or several with commas between them."""
    try:
        Proxies.parse(tuple(_listed(value)))
    except ValueError as error:
        raise ValueError(
            f"addresses or networks of proxies such as 10.0.0.5 or 10.1.0.0/16, or {UNIX}"
        ) from error
    return value


def host(value: str) -> str:
    """One name, or several with commas between them."""
    for each in _listed(value):
        parse_host(each)
    return value


ALLOWED_HOSTS = Setting(
    "allowed_host",
    ("CRONQ_ALLOWED_HOSTS",),
    host,
    (),
    "a name by which the web may be asked for, besides those of loopback; may be repeated",
    repeatable=True,
)
TRUSTED_PROXIES = Setting(
    "trusted_proxy",
    ("CRONQ_TRUSTED_PROXIES",),
    proxy,
    (),
    "an address or network whose X-Remote-User and X-Forwarded-For are believed, or unix; may be repeated",
    repeatable=True,
)
NO_LOGIN = Setting(
    "no_login",
    ("CRONQ_NO_LOGIN",),
    yes_or_no,
    False,
    "leave loopback open although there are users",
    flag=True,
)
ACCESS_SETTINGS = (ALLOWED_HOSTS, TRUSTED_PROXIES, NO_LOGIN)


def is_only_here(where: str) -> bool:
    """Whether an endpoint is on loopback. What is not known for certain is not, nor is a UNIX socket, behind
    which there is a proxy.
    """
    kind, *parts = _COLON.split(where)
    found = [each.removeprefix("interface=") for each in parts if each.startswith("interface=")]
    return (
        kind in {"tcp", "tcp6", "ssl"} and len(found) == 1 and is_loopback(found[0].replace("\\", "").lower())
    )


def access_settings(values: Values, where: str, database_url: Any) -> AccessSettings:
    """What the web knows of who comes in."""
    proxies = Proxies.parse(tuple(_listed(*_texts(values.trusted_proxy))))
    return AccessSettings(is_only_here(where), values.no_login, proxies, add_user(database_url))


def hosts(values: Values, where: str) -> Hosts:
    """By which names the web may be asked for."""
    listed = frozenset(parse_host(each) for each in _listed(*_texts(values.allowed_host)))
    if where.startswith("unix:"):
        return Hosts(listed, any=not listed)
    own = () if values.listen or values.listen_interface in WILDCARDS else (values.listen_interface.lower(),)
    return Hosts(listed.union(own))


def add_user(database_url: Any) -> str:
    """What makes a user, as it is typed at a shell."""
    if database_url.get_backend_name() != "sqlite":
        return "cronq users add NAME"
    url = database_url.render_as_string(hide_password=False)
    return f"cronq users add NAME --database-url {shlex.quote(url)}"


class UsersCheck(Loop):
    """Looks at the database before somebody asks for a page: has it the tables, and who may come in?"""

    def __init__(
        self,
        reactor: IReactorTime,
        tables: Tables,
        database: Database,
        settings: AccessSettings,
        listen: Callable[[], None],
    ) -> None:
        """`listen` is called when somebody may come in, unless only this machine could anyway."""
        super().__init__("web", self.check, reactor, tables.trouble)
        self._reactor = reactor
        self._tables = tables
        self._database = database
        self._settings = settings
        self._listen = listen

    async def check(self) -> float:
        """One pass; when all is well, the rest can be left to requests."""
        if not await self._tables.ready():
            return WITHOUT_TABLES
        users = self._settings.no_login or await self._database.read(any_users)
        if not self._settings.loopback:
            self._begin(users=users)
        elif not users:
            what = "there are no users, so everybody on this machine may do everything here, until {add}"
            log.info(what, add=self._settings.add_user)
        return HOUR

    def _begin(self, *, users: bool) -> None:
        if users:
            self._listen()
            return
        add = self._settings.add_user
        end_in_failure(
            self._reactor,
            f"the web is to listen where others reach it, and has no users who could log in: {add}",
        )


def _texts(values: str | tuple[str, ...]) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else values


def _listed(*texts: str) -> list[str]:
    return [each.strip() for text in texts for each in text.split(",") if each.strip()]

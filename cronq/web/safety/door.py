"""The door of the web: who sends a request, whether they may, and whether it is they who want it."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from twisted.python.failure import Failure
from twisted.web.server import Request as ServerRequest

from cronq.database.gateway import Database
from cronq.database.sessions import digest_of, find_session, see_session
from cronq.database.tokens import find_token, use_token
from cronq.database.users import UserRecord, any_users, find_user
from cronq.domain.access import LONGEST_NAME, Actor, Caller, Role, Via
from cronq.domain.errors import DatabaseUnavailable
from cronq.web.http.errors import Refused, Unauthorized, WebError
from cronq.web.http.exchange import STRANGER, Request, read_request
from cronq.web.http.routing import Route
from cronq.web.safety.cookies import read_cookie
from cronq.web.safety.form_tokens import FormTokens
from cronq.web.safety.passwords import Passwords
from cronq.web.safety.proxies import Proxies, is_secure
from cronq.web.safety.senders import check_wanted

#: What everybody may do where nobody has to log in: all that is about jobs.
OPEN_ROLE = Role.EDITOR
#: Seconds for which it is not asked again whether there are users, once there are some.
CLOSED = 5.0


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """What an operator can say about who comes in."""

    #: Whether only this machine reaches the web.
    loopback: bool = True
    #: Whether loopback stays open even when there are users.
    no_login: bool = False
    proxies: Proxies = field(default_factory=Proxies)
    #: What makes a user, as it is typed at a shell.
    add_user: str = "cronq users add NAME"


class Door:
    """Lets requests in."""

    def __init__(
        self,
        database: Database,
        settings: AccessSettings,
        passwords: Passwords,
        form_tokens: FormTokens,
        seconds: Callable[[], float],
    ) -> None:
        self._database = database
        self._settings = settings
        self._passwords = passwords
        self._form_tokens = form_tokens
        self._seconds = seconds
        #: Until then it is known that there are users: that nobody has to log in is never taken for granted.
        self._closed_until = 0.0

    async def admit(self, raw: ServerRequest, route: Route) -> Request:
        """The request with its caller in it; raises `Unauthorized`, `Refused` and `UnsupportedType`."""
        request = read_request(raw)
        address = self._settings.proxies.address(raw)
        caller = replace(STRANGER, actor=replace(STRANGER.actor, address=address))
        if route.needs is not None:
            caller = await self._find_caller(raw, address)
            check_rights(caller, route)
        if route.needs is not None or not request.safe:
            await self._form_tokens.prepare()
        if not request.safe:
            check_wanted(raw, request, caller, self._form_tokens)
        browser = raw.getHeader("User-Agent") or ""
        return replace(
            request, caller=caller, secure=is_secure(raw), cookie=read_cookie(raw), browser=browser
        )

    async def recognise(self, raw: ServerRequest, failure: Failure) -> Caller:
        """Whose session a request is of that has failed; nobody's when that cannot be found out."""
        cookie = read_cookie(raw)
        if cookie is None or failure.check(DatabaseUnavailable):
            return STRANGER
        try:
            await self._form_tokens.prepare()
            return await self._by_session(cookie, self._settings.proxies.address(raw))
        except (WebError, DatabaseUnavailable):
            return STRANGER

    async def is_open(self) -> bool:
        """Whether nobody has to log in; raises `Refused` when nobody could."""
        if self._settings.loopback and self._settings.no_login:
            return True
        if self._seconds() < self._closed_until:
            return False
        if await self._database.read(any_users):
            self._closed_until = self._seconds() + CLOSED
            return False
        if self._settings.loopback:
            return True
        raise Refused(f"There is no user yet who could log in: {self._settings.add_user}")

    async def _find_caller(self, raw: ServerRequest, address: str) -> Caller:
        if await self.is_open():
            return Caller(Actor(None, Via.OPEN, address), OPEN_ROLE)
        authorization = raw.getHeader("Authorization")
        if authorization is not None:
            return await self._by_authorization(authorization, address)
        name = self._settings.proxies.user(raw)
        if name is not None:
            return await self._by_proxy(name, address)
        cookie = read_cookie(raw)
        if cookie is not None:
            return await self._by_session(cookie, address)
        raise Unauthorized("Log in first; a program sends a token: Authorization: Bearer cq_…")

    async def _by_authorization(self, header: str, address: str) -> Caller:
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            return await self._by_token(value.strip(), address)
        if scheme.lower() == "basic":
            name, password = _name_and_password(value)
            return _caller(await self._passwords.check(name, password, address), Via.PASSWORD, address)
        raise Unauthorized("The header Authorization is neither Bearer nor Basic.")

    async def _by_token(self, token: str, address: str) -> Caller:
        found = await self._database.read(find_token, digest_of(token))
        if found is None:
            raise Unauthorized("This token is not known here, or it has expired.")
        record, stale = found
        if stale:
            await self._database.transact(use_token, record.id)
        return Caller(Actor(record.name, Via.TOKEN, address), record.role, record.categories)

    async def _by_proxy(self, name: str, address: str) -> Caller:
        user = await self._database.read(find_user, name[: LONGEST_NAME + 1])
        if user is None:
            raise Refused(
                f"{name[:LONGEST_NAME]} is no user of this cronq yet. Ask an admin to add this name."
            )
        if user.password is not None:
            # Other programs beside a proxy can say what it says: that is enough for nobody who was not meant
            # to come in that way.
            raise Refused(f"{name} has a password here, and so is not let in by a proxy. Ask an admin.")
        return _caller(user, Via.PROXY, address)

    async def _by_session(self, secret: str, address: str) -> Caller:
        digest = digest_of(secret)
        found = await self._database.read(find_session, digest)
        if found is None:
            raise Unauthorized("You are not logged in any more.")
        user, stale = found
        if stale:
            await self._database.transact(see_session, digest)
        return _caller(user, Via.SESSION, address, digest)


def check_rights(caller: Caller, route: Route) -> None:
    """Raise `Refused` when a route takes more than the caller may."""
    needed = route.needs or Role.VIEWER
    if caller.role is None or not caller.role.includes(needed):
        raise Refused(f"This takes the role {needed}, and yours is {caller.role}.")
    if not route.by_category and not caller.may(needed, None):
        raise Refused("This is about all categories, and you are limited to some.")


def check_category(caller: Caller, role: Role, category: str | None) -> None:
    """Raise `Refused` when the caller may not do what takes this role in a category."""
    if not caller.may(role, category):
        raise Refused(f"You may only look at the category {category}.")


def _caller(user: UserRecord, via: Via, address: str, session: str | None = None) -> Caller:
    return Caller(Actor(user.name, via, address), user.role, user.categories, session, user.id)


def _name_and_password(value: str) -> tuple[str, str]:
    """What basic authentication says (RFC 7617, section 2)."""
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unauthorized("The header Authorization cannot be read.") from error
    name, _, password = pair.partition(":")
    return name, password

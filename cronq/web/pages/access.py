"""The page Access: who one is, and for admins all users and tokens."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from cronq.database import gateway
from cronq.database.gateway import Database
from cronq.database.reading.access import read_access
from cronq.database.sessions import begin_session, end_sessions
from cronq.database.tokens import add_token, revoke_token
from cronq.database.users import add_user, change_user, find_user, remove_user, set_password
from cronq.domain.access import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    BadAccess,
    Role,
    Via,
    check_limit,
    check_name,
    check_password,
)
from cronq.web.http.errors import BadRequest, Refused, Unauthorized
from cronq.web.http.exchange import Request, Response, see_other
from cronq.web.http.fields import member, whole_number
from cronq.web.http.routing import Route
from cronq.web.pages.rendering import Renderer
from cronq.web.safety.cookies import set_cookie
from cronq.web.safety.passwords import Passwords

ACCESS = "/access"
LONGEST_EXPIRY = 3650  # days


T = TypeVar("T")


class Access:
    """Answers what is about users and tokens."""

    def __init__(
        self, database: Database, renderer: Renderer, passwords: Passwords, add_user_by: str
    ) -> None:
        """`add_user_by` is what makes a user at a shell."""
        self._database = database
        self._renderer = renderer
        self._passwords = passwords
        self._add_user_by = add_user_by

    def routes(self) -> tuple[Route, ...]:
        """Their addresses."""
        post = ("POST",)
        return (
            Route(ACCESS, self.page, needs=Role.VIEWER),
            Route("/access/password", self.change_password, post, needs=Role.VIEWER),
            Route("/access/users", self.add_user, post, needs=Role.ADMIN),
            Route("/access/users/role", self.change_user, post, needs=Role.ADMIN),
            Route("/access/users/password", self.set_password, post, needs=Role.ADMIN),
            Route("/access/users/logout", self.log_out, post, needs=Role.ADMIN),
            Route("/access/users/remove", self.remove_user, post, needs=Role.ADMIN),
            Route("/access/tokens", self.add_token, post, needs=Role.ADMIN),
            Route("/access/tokens/revoke", self.revoke_token, post, needs=Role.ADMIN),
        )

    async def page(self, request: Request) -> Response:
        """The page."""
        return await self._page(request)

    async def change_password(self, request: Request) -> Response:
        """Give the caller another password; all their sessions end, and this one goes on as another."""
        caller = request.caller
        if caller.actor.name is None or caller.actor.via not in {Via.SESSION, Via.PASSWORD}:
            raise Refused("Only somebody who has logged in with a password can change it.")
        old, new = request.fields.get("old", ""), request.fields.get("new", "")
        try:
            await self._passwords.check(caller.actor.name, old, caller.actor.address or "")
        except Unauthorized as error:
            raise BadRequest("The old password is wrong.") from error
        await self._set_password(request, caller.actor.name, new)
        user = await self._database.read(find_user, caller.actor.name)
        if user is None or caller.session is None:
            return see_other(ACCESS)
        address = caller.actor.address or ""
        secret = await self._database.transact(begin_session, user, address, request.browser, None)
        return see_other(ACCESS, set_cookie(secret, secure=request.secure))

    async def add_user(self, request: Request) -> Response:
        """Add a user."""
        name, role, limit = _rights(request)
        password = request.fields.get("password", "")
        digest = None
        if password:
            _accepted(check_password, password, name)
            digest = await self._passwords.digest(password)
        await self._database.transact(add_user, request.caller.actor, name, role, limit, digest)
        return see_other(ACCESS)

    async def change_user(self, request: Request) -> Response:
        """Give a user another role or limit."""
        await self._database.transact(change_user, request.caller.actor, *_rights(request))
        return see_other(ACCESS)

    async def set_password(self, request: Request) -> Response:
        """Give a user another password."""
        await self._set_password(request, _name(request), request.fields.get("password", ""))
        return see_other(ACCESS)

    async def log_out(self, request: Request) -> Response:
        """Log a user out everywhere."""
        await self._database.transact(end_sessions, request.caller.actor, _name(request))
        return see_other(ACCESS)

    async def remove_user(self, request: Request) -> Response:
        """Remove a user, but not whoever asks for it: they would not know what has happened."""
        if _name(request) == request.caller.actor.name and request.caller.actor.via is not Via.TOKEN:
            raise BadRequest("Nobody can remove themselves here: ask another admin.")
        await self._database.transact(remove_user, request.caller.actor, _name(request))
        return see_other(ACCESS)

    async def add_token(self, request: Request) -> Response:
        """Make a token, and show it this once."""
        name, role, limit = _rights(request)
        days = (
            whole_number(request, "days", least=1, most=LONGEST_EXPIRY)
            if request.fields.get("days")
            else None
        )
        now = await self._database.read(gateway.now)
        end = None if days is None else now + timedelta(days=days)
        token = await self._database.transact(add_token, request.caller.actor, name, role, limit, end)
        return await self._page(request, token=token, token_name=name)

    async def revoke_token(self, request: Request) -> Response:
        """Make a token worthless."""
        await self._database.transact(revoke_token, request.caller.actor, _name(request))
        return see_other(ACCESS)

    async def _page(self, request: Request, token: str = "", token_name: str = "") -> Response:
        view = await self._database.read(read_access, request.caller)
        return self._renderer.page(
            request,
            "access.html",
            view=view,
            now=view.now,
            roles=list(Role),
            add_user=self._add_user_by,
            token=token,
            token_name=token_name,
            bounds=(SHORTEST_PASSWORD, LONGEST_PASSWORD),
        )

    async def _set_password(self, request: Request, name: str, password: str) -> None:
        _accepted(check_password, password, name)
        digest = await self._passwords.digest(password)
        await self._database.transact(set_password, request.caller.actor, name, digest)


def _name(request: Request) -> str:
    return _accepted(check_name, request.fields.get("name", "").strip())


def _rights(request: Request) -> tuple[str, Role, frozenset[str] | None]:
    role = member(request, "role", Role)
    if role is None:
        raise BadRequest("role: missing")
    lines = request.fields.get("categories", "").splitlines()
    return (
        _name(request),
        role,
        _accepted(check_limit, role, [line.strip() for line in lines if line.strip()]),
    )


def _accepted(check: Callable[..., T], *arguments: object) -> T:
    try:
        return check(*arguments)
    except BadAccess as error:
        text = str(error)
        raise BadRequest(f"{text[:1].upper()}{text[1:]}.") from error

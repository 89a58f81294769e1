"""Logging in and out."""

from urllib.parse import urlsplit

from twisted.logger import Logger

from cronq.database.gateway import Database
from cronq.database.sessions import begin_session, digest_of, end_session, end_sessions
from cronq.domain.access import Role
from cronq.domain.errors import NotPossible
from cronq.web.http.errors import TooMany, Unauthorized, WebError
from cronq.web.http.exchange import Request, Response, see_other
from cronq.web.http.routing import Route
from cronq.web.pages.rendering import Renderer
from cronq.web.safety.cookies import clear_cookie, set_cookie
from cronq.web.safety.door import Door
from cronq.web.safety.form_tokens import FormTokens
from cronq.web.safety.passwords import Passwords

LOGIN = "/login"

_log = Logger()


class Logins:
    """The page where one logs in, and what the buttons send that end it."""

    def __init__(
        self,
        database: Database,
        renderer: Renderer,
        door: Door,
        passwords: Passwords,
        form_tokens: FormTokens,
    ) -> None:
        self._database = database
        self._renderer = renderer
        self._door = door
        self._passwords = passwords
        self._form_tokens = form_tokens

    def routes(self) -> tuple[Route, ...]:
        """Their addresses."""
        return (
            Route(LOGIN, self.form, needs=None),
            Route(LOGIN, self.log_in, ("POST",), needs=None),
            Route("/logout", self.log_out, ("POST",), needs=Role.VIEWER),
            Route("/logout-everywhere", self.log_out_everywhere, ("POST",), needs=Role.VIEWER),
        )

    async def form(self, request: Request) -> Response:
        """Where name and password are typed."""
        await self._form_tokens.prepare()
        return await self._page(request, 200, None)

    async def log_in(self, request: Request) -> Response:
        """Begin a session of a new secret, and go where one wanted to go."""
        name, password = request.fields.get("name", "").strip(), request.fields.get("password", "")
        address = request.caller.actor.address or ""
        old = None if request.cookie is None else digest_of(request.cookie)
        try:
            user = await self._passwords.check(name, password, address)
            secret = await self._database.transact(begin_session, user, address, request.browser, old)
        except (Unauthorized, NotPossible, TooMany) as error:
            return await self._refused(request, error)
        _log.info("{name} has logged in from {address}", name=user.name, address=address)
        return see_other(safe_path(request.fields.get("next", "")), set_cookie(secret, secure=request.secure))

    async def log_out(self, request: Request) -> Response:
        """End this session."""
        if request.caller.session is not None:
            await self._database.transact(end_session, request.caller.session)
        return see_other(LOGIN, clear_cookie(secure=request.secure))

    async def log_out_everywhere(self, request: Request) -> Response:
        """End all sessions of whoever asks for it."""
        actor = request.caller.actor
        if request.caller.user_id is not None:
            await self._database.transact(end_sessions, actor, actor.name)
        return see_other(LOGIN, clear_cookie(secure=request.secure))

    async def _refused(self, request: Request, error: WebError | NotPossible) -> Response:
        code = error.code if isinstance(error, WebError) else Unauthorized.code
        response = await self._page(request, code, str(error))
        if isinstance(error, TooMany):
            return response.with_headers({"Retry-After": str(error.whole_seconds)})
        return response

    async def _page(self, request: Request, code: int, refusal: str | None) -> Response:
        return self._renderer.page(
            request,
            "login.html",
            code,
            now=None,
            open=await self._door.is_open(),
            refusal=refusal,
            user=request.fields.get("name", "") if refusal else "",
            next=safe_path(request.fields.get("next", "")),
        )


def safe_path(text: str) -> str:
    """A path of ours to go on to; `/` when the text is none, or leads to somebody else."""
    parts = urlsplit(text) if text.isascii() and text.isprintable() and "\\" not in text else None
    if parts is None or parts.scheme or parts.netloc or not text.startswith("/") or text.startswith("//"):
        return "/"
    return text

"""The cookie of whoever has logged in."""

from twisted.web.server import Request as ServerRequest

from cronq.database.sessions import LIFETIME
from cronq.web.safety.proxies import is_secure

#: With HTTPS, a name that no other host and no page without HTTPS can set (RFC 6265bis, section 4.1.3.2).
SECURE_NAME, PLAIN_NAME = "__Host-cronq", "cronq"


def read_cookie(request: ServerRequest) -> str | None:
    """The secret of a session; None when there is none."""
    name = SECURE_NAME if is_secure(request) else PLAIN_NAME
    found: bytes | None = request.getCookie(name.encode())
    return None if found is None else found.decode("latin-1")


def set_cookie(secret: str, *, secure: bool) -> dict[str, str]:
    """The header that has a browser keep the secret. (Lax: whoever follows a link to us is logged in.)"""
    name, more = (SECURE_NAME, "; Secure") if secure else (PLAIN_NAME, "")
    lifetime = int(LIFETIME.total_seconds())
    return {"Set-Cookie": f"{name}={secret}; Path=/; Max-Age={lifetime}; HttpOnly; SameSite=Lax{more}"}


def clear_cookie(*, secure: bool) -> dict[str, str]:
    """The header that has a browser forget it."""
    name, more = (SECURE_NAME, "; Secure") if secure else (PLAIN_NAME, "")
    return {"Set-Cookie": f"{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{more}"}

"""Form tokens: proof that a form was made by a page of ours, not long ago, for just this address."""

import hmac
import re
from hashlib import sha256

from cronq.web.errors import Refused

FIELD = "form_token"
LIFETIME = 24 * 60 * 60  # seconds
_FORM = re.compile(r"([0-9a-f]{1,12})\.([0-9a-f]{64})", re.ASCII)


def issue_token(key: bytes, path: str, now: float) -> str:
    """A token for a form that is sent to that path; `now` in seconds since 1970."""
    issued = f"{int(now):x}"
    return f"{issued}.{_signature(key, path, issued)}"


def check_token(key: bytes, token: str, path: str, now: float) -> None:
    """Raise `Refused` when the token was not issued for that path with that key, or too long ago."""
    found = _FORM.fullmatch(token)
    if found is None or not hmac.compare_digest(_signature(key, path, found[1]), found[2]):
        raise Refused("This form was not made by this cronq. Go back, reload the page and try again.")
    if not 0 <= now - int(found[1], 16) <= LIFETIME:
        raise Refused("This form is too old. Go back, reload the page and try again.")


def _signature(key: bytes, path: str, issued: str) -> str:
    return hmac.new(key, f"form\0{path}\0{issued}".encode(), sha256).hexdigest()

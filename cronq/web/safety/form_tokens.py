"""Form tokens: proof that a form was made by a page of ours, not long ago, for this address and person."""

import hmac
import re
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import unquote

from cronq.domain.access import Caller
from cronq.web.http.errors import Refused
from cronq.web.safety.secret_key import SecretKey

FIELD = "form_token"
LIFETIME = 24 * 60 * 60  # seconds
_FORM = re.compile(r"([0-9a-f]{1,12})\.([0-9a-f]{64})", re.ASCII)


class FormTokens:
    """Issues and checks them; `seconds` gives the time since 1970."""

    def __init__(self, secret_key: SecretKey, seconds: Callable[[], float]) -> None:
        self._secret_key = secret_key
        self._seconds = seconds
        self._key = b""

    async def prepare(self) -> None:
        """See to it that the key is there; comes before all else."""
        self._key = self._key or await self._secret_key.find()

    def issue(self, caller: Caller, path: str) -> str:
        """A token for a form that this caller sends to that path."""
        issued = f"{int(self._seconds()):x}"
        return f"{issued}.{self._signature(caller, path, issued)}"

    def check(self, caller: Caller, path: str, token: str) -> None:
        """Raise `Refused` when it was not issued for that path and that caller, or too long ago."""
        found = _FORM.fullmatch(token)
        if found is None or not hmac.compare_digest(self._signature(caller, path, found[1]), found[2]):
            raise Refused("This form was not made by this cronq. Go back, reload the page and try again.")
        if not 0 <= self._seconds() - int(found[1], 16) <= LIFETIME:
            raise Refused("This form is too old. Go back, reload the page and try again.")

    def _signature(self, caller: Caller, path: str, issued: str) -> str:
        assert self._key, "it is prepared"
        path = unquote(path)  # a browser may quote more of it, or less, than we do
        return hmac.new(self._key, f"form\0{caller.binding}\0{path}\0{issued}".encode(), sha256).hexdigest()

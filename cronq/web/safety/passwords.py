"""Looking whether somebody has the right password: in a thread, a few at a time, and guessing is slow."""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import TypeVar

from twisted.internet.defer import DeferredSemaphore
from twisted.logger import Logger

from cronq.database.gateway import Database, RunInThread
from cronq.database.passwords import digest_password, is_outdated, is_password
from cronq.database.users import UserRecord, find_user, renew_digest
from cronq.domain.access import LONGEST_NAME, LONGEST_PASSWORD
from cronq.web.http.errors import TooMany, Unauthorized
from cronq.web.safety.throttle import Throttle

#: Each takes 64 MiB and a fifth of a second of a processor.
AT_ONCE, MOST_WAITING = 2, 20
#: Programs send their password with each request: so many are remembered as right.
MOST_REMEMBERED = 1000

T = TypeVar("T")

_log = Logger()


class Passwords:
    """Checks passwords; what they are is only ever compared by digests."""

    def __init__(self, database: Database, run_in_thread: RunInThread, seconds: Callable[[], float]) -> None:
        self._database = database
        self._run_in_thread = run_in_thread
        self._turn = DeferredSemaphore(AT_ONCE)
        self._by_name = Throttle(seconds, free=5, longest=60.0)
        self._by_address = Throttle(seconds, free=20, longest=300.0)
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, str] = OrderedDict()

    async def check(self, name: str, password: str, address: str) -> UserRecord:
        """The user whose password this is; raises `Unauthorized` and `TooMany`."""
        name = name[: LONGEST_NAME + 1]  # nobody has a longer one
        # First of all: else a password that is remembered could be guessed as fast as one likes.
        self._check_pause(name, _network(address))
        user = await self._database.read(find_user, name)
        if user is not None and self._is_remembered(user, password):
            return user
        self._begin_try(name, _network(address))
        right = await self._is_right(user, password)
        if user is None or not right:
            _log.warn("a login as {name!r} from {address} has failed", name=name, address=address)
            raise Unauthorized("The name or the password is wrong.")
        self._end_try(name, _network(address))
        self._remember(user, password)
        return await self._renewed(user, password)

    async def digest(self, password: str) -> str:
        """The digest of a new password."""
        return await self._in_turn(digest_password, password)

    def _check_pause(self, name: str, network: str | None) -> None:
        pause = self._by_name.pause(name)
        if network is not None:
            pause = max(pause, self._by_address.pause(network))
        if pause:
            raise TooMany("There were too many failed logins. Try again a little later.", pause)

    def _begin_try(self, name: str, network: str | None) -> None:
        self._check_pause(name, network)  # many may have come at once
        self._by_name.failed(name)
        if network is not None:
            self._by_address.failed(network)

    def _end_try(self, name: str, network: str | None) -> None:
        self._by_name.forget(name)
        if network is not None:
            self._by_address.succeeded(network)

    async def _is_right(self, user: UserRecord | None, password: str) -> bool:
        if len(password) > LONGEST_PASSWORD:
            return False
        digest = None if user is None else user.password
        return await self._in_turn(is_password, digest, password)

    async def _in_turn(self, work: Callable[..., T], *args: object) -> T:
        if len(self._turn.waiting) >= MOST_WAITING:
            raise TooMany("Too many want to log in at this moment. Try again a little later.", 5.0)
        result: T = await self._turn.run(self._run_in_thread, work, *args)
        return result

    async def _renewed(self, user: UserRecord, password: str) -> UserRecord:
        """The user, with a digest as they are made today."""
        if user.password is None or not is_outdated(user.password):
            return user
        await self._database.transact(renew_digest, user.id, user.password, await self.digest(password))
        return await self._database.read(find_user, user.name) or user

    def _is_remembered(self, user: UserRecord, password: str) -> bool:
        # Once the password is changed, the digest is another.
        return user.password is not None and self._right.get(self._mark(user, password)) == user.password

    def _remember(self, user: UserRecord, password: str) -> None:
        if user.password is not None:
            self._right[self._mark(user, password)] = user.password
        if len(self._right) > MOST_REMEMBERED:
            self._right.popitem(last=False)

    def _mark(self, user: UserRecord, password: str) -> bytes:
        return hmac.digest(self._key, f"{user.id}\0{password}".encode(errors="surrogatepass"), sha256)


def _network(address: str) -> str | None:
    """What one house has: an address of IPv4, or the first half of one of IPv6.

    None for this machine, since that may be a proxy, through which everybody comes.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return None
    if found.is_loopback:
        return None
    return found.exploded[:19] if isinstance(found, IPv6Address) else address

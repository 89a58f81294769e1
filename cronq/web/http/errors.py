"""What the web refuses, each with the status code that says so (RFC 9110, section 15.5)."""

import math

from cronq.domain.errors import CronqError


class WebError(CronqError):
    """A request that is answered with a client error; the text says why."""

    code = 400


class BadRequest(WebError):
    """The request says what cannot be understood."""


class Unauthorized(WebError):
    """Nobody knows who sends this."""

    code = 401


class Refused(WebError):
    """Whoever sends this may not; or it may have been made by a page of somebody else."""

    code = 403


class NotFound(WebError):
    """There is nothing at this address."""

    code = 404


class Conflict(WebError):
    """What is asked for cannot be done to the thing as it is now."""

    code = 409


class BodyTooLarge(WebError):
    """The body is larger than the web reads."""

    code = 413


class UnsupportedType(WebError):
    """The body says of itself that it is something else than what is read here."""

    code = 415


class Misdirected(WebError):
    """The request names a host that this is not."""

    code = 421


class TooMany(WebError):
    """It was tried too often: not for so many seconds."""

    code = 429

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.whole_seconds = math.ceil(seconds)

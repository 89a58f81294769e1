"""What the web refuses, each with the status code that says so (RFC 9110, section 15.5)."""

from cronq.domain.errors import CronqError


class WebError(CronqError):
    """A request that is answered with a client error; the text says why."""

    code = 400


class BadRequest(WebError):
    """The request says what cannot be understood."""


class Refused(WebError):
    """The request may have been made by a page of somebody else."""

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


class Misdirected(WebError):
    """The request names a host that this is not."""

    code = 421

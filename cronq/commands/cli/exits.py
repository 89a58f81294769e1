"""How the command line ends: its exit codes, and the error that leads to each."""

import enum

from cronq.domain.errors import CronqError, Fault


class Exit(enum.IntEnum):
    """What a script can tell from the exit code (documented in docs/command-line.md)."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    CONFLICT = 5
    UNREACHABLE = 6
    BAD_DOCUMENT = 7
    #: As of timeout(1).
    TIMED_OUT = 124
    #: 128 + SIGINT, as a shell says it.
    INTERRUPTED = 130


MEANINGS = {
    Exit.OK: "all is well",
    Exit.FAILURE: "it failed; with run --wait or --follow: the run did not succeed",
    Exit.USAGE: "wrong usage, or something that the server does not understand",
    Exit.NOT_FOUND: "there is no such job, run, category or runner",
    Exit.NOT_ALLOWED: "the server does not allow it",
    Exit.CONFLICT: "it cannot be done as things are now",
    Exit.UNREACHABLE: "the server, or its database, cannot be reached",
    Exit.BAD_DOCUMENT: "a category document, or a schedule, has faults",
    Exit.TIMED_OUT: "run --wait --timeout: the time is up",
    Exit.INTERRUPTED: "stopped with Ctrl-C",
}


class CommandFailed(CronqError):
    """A command could not do what it was asked for: what is wrong, and what to do about it."""

    def __init__(self, message: str, exit_code: Exit, hint: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.hint = hint


class Unreachable(CommandFailed):
    """The server gives no answer, or says that it cannot for now; the same may succeed later."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message, Exit.UNREACHABLE, hint)


class DocumentRefused(CommandFailed):
    """A category document has faults, each of them a line for whoever wrote it."""

    def __init__(self, message: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(message, Exit.BAD_DOCUMENT, "Mend it and apply it again; nothing was changed.")
        self.faults = faults

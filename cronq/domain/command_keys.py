"""The keys of a job that say how its command is run."""

from collections.abc import Mapping

from cronq.domain.document_parts import Key, ListOf, Variables
from cronq.domain.document_values import LIMIT_FORMAT, Formed, Number, Text, Written
from cronq.domain.outputs import LONGEST, USUAL

#: What every command is told by its runner.
OWN_VARIABLES = frozenset({"CRONQ_JOB_ID", "CRONQ_JOB_NAME", "CRONQ_RUN_ID", "CRONQ_SLOT", "CRONQ_ATTEMPT"})
ENVIRONMENT_LENGTH = 32_768  # bytes of UTF-8

PATH_LENGTH = 4095  # bytes: PATH_MAX of Linux, less the NUL
# The end of a text: `$` also stands before a newline that ends it.
_END = r"(?![\s\S])"
_PATH = rf"^/[^\u0000\ud800-\udfff]*{_END}"
_USER = rf"^[^\u0000\ud800-\udfff\s:/]+(?::[^\u0000\ud800-\udfff\s:/]+)?{_END}"

ENVIRONMENT = Variables(
    "Variables that are added to the environment of the command.",
    Text("The value."),
    OWN_VARIABLES,
    ENVIRONMENT_LENGTH,
)

COMMAND_KEYS: Mapping[str, Key] = {
    "timeout": Key(
        Written("How long the command may run until it is ended, with all that it started.", LIMIT_FORMAT)
    ),
    "kill_grace": Key(
        Written("How long a command that is ended has from SIGTERM to SIGKILL.", LIMIT_FORMAT),
        default="PT10S",
    ),
    "success_codes": Key(
        ListOf("The exit codes that are success.", Number("An exit code.", 0, 255), least=1, most=256),
        default=[0],
    ),
    "output_limit": Key(
        Number("How many bytes of its output are kept for the pages: head and tail.", 0, LONGEST),
        default=USUAL,
    ),
    "environment": Key(ENVIRONMENT, default={}),
    "directory": Key(
        Formed("Where the command begins.", _PATH, "an absolute path such as /srv/reports", PATH_LENGTH)
    ),
    "user": Key(
        Formed(
            "The user of its host that the command is run as, or user:group.",
            _USER,
            "a user such as backup, or user:group",
            255,
        )
    ),
    "shell": Key(
        Formed("Is given -c and the command.", _PATH, "an absolute path such as /bin/bash", PATH_LENGTH),
        default="/bin/sh",
    ),
    "umask": Key(
        Formed(
            "What files that the command makes may not allow.",
            f"^0?[0-7]{{3}}{_END}",
            "an octal mask such as 027",
            4,
        )
    ),
}

"""The keys of a job that say how its command is run."""

from collections.abc import Mapping

from cronq.domain.document_parts import Key, ListOf, Variables
from cronq.domain.document_values import SPAN_FORMAT, Number, Text, Written

#: What every command is told by its runner.
OWN_VARIABLES = frozenset({"CRONQ_JOB_ID", "CRONQ_JOB_NAME", "CRONQ_RUN_ID", "CRONQ_SLOT", "CRONQ_ATTEMPT"})
ENVIRONMENT_LENGTH = 32_768  # bytes of UTF-8

ENVIRONMENT = Variables(
    "Variables that are added to the environment of the command.",
    Text("The value."),
    OWN_VARIABLES,
    ENVIRONMENT_LENGTH,
)

COMMAND_KEYS: Mapping[str, Key] = {
    "timeout": Key(
        Written("How long the command may run until it is ended, with all that it started.", SPAN_FORMAT)
    ),
    "kill_grace": Key(
        Written("How long a command that is ended has from SIGTERM to SIGKILL.", SPAN_FORMAT),
        default="PT10S",
    ),
    "success_codes": Key(
        ListOf("The exit codes that are success.", Number("An exit code.", 0, 255), least=1, most=256),
        default=[0],
    ),
    "environment": Key(ENVIRONMENT, default={}),
}

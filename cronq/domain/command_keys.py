"""The keys of a job that say how its command is run."""

from collections.abc import Mapping
from datetime import timedelta

from cronq.domain.document_kinds import Key, Span, Text, WholeNumber
from cronq.domain.document_parts import ListOf, Variables

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
        Span("How long the command may run; then it is ended, with all that it has started.", timedelta(366))
    ),
    "kill_grace": Key(
        Span("How long a command that is ended has from SIGTERM to SIGKILL.", timedelta(1)), default="PT10S"
    ),
    "success_codes": Key(
        ListOf("The exit codes that are success.", WholeNumber("An exit code.", 0, 255), least=1, most=256),
        default=[0],
    ),
    "environment": Key(ENVIRONMENT, default={}),
}

"""The keys of a job that say what becomes of its slots."""

from collections.abc import Mapping

from cronq.domain.document_parts import Key, ListOf
from cronq.domain.document_values import MOMENT_FORMAT, SPAN_FORMAT, Choice, Number, Switch, Text, Written
from cronq.domain.rules import AfterSame, CatchUp, OnLost, Overlap

SLOT_KEYS: Mapping[str, Key] = {
    "retries": Key(
        Number("How often a run that failed is tried again, as a new attempt.", 0, 100), default=0
    ),
    "retry_delay": Key(
        Written("How long an attempt waits after the one before it, as in PT5M.", SPAN_FORMAT), default="PT1M"
    ),
    "retry_backoff": Key(
        Number("By how much that delay grows from attempt to attempt.", 1, 10, whole=False), default=1
    ),
    "on_lost": Key(
        Choice("Whether a run whose runner is gone is tried again; as `retries` has it, when absent.", OnLost)
    ),
    "overlap": Key(
        Choice("What becomes of a run while another one of the job has not ended.", Overlap),
        default=Overlap.ALLOW.value,
    ),
    "max_running": Key(
        Number("With overlap allow: how many runs of the job may be running at once.", 1, 1_000_000)
    ),
    "enabled": Key(Switch("Whether its slots run; if not, they are skipped."), default=True),
    "paused_until": Key(
        Written("Its slots before this instant are skipped, as in 2026-12-24T00:00:00Z.", MOMENT_FORMAT)
    ),
    "pause_reason": Key(Text("Why it is paused or not enabled.", longest=500), default=""),
    "catch_up": Key(
        Choice("Which slots run after a time in which no injector was there.", CatchUp),
        default=CatchUp.ONE.value,
    ),
    "catch_up_limit": Key(
        Number("With catch_up all: how many of the latest slots run.", 1, 1000), default=100
    ),
    "deadline": Key(Written("A slot that has not started so long after it was due is missed.", SPAN_FORMAT)),
    "priority": Key(
        Number("What comes first when more is due than fits: the higher, the sooner.", 0, 9), default=0
    ),
    "after_same": Key(
        Choice("Whether those must have succeeded for the same slot, or on the same day.", AfterSame),
        default=AfterSame.SLOT.value,
    ),
}

AFTER = Key(
    ListOf(
        "The jobs of the document after which it runs.", Text("A name.", shortest=1), most=1000, unique=True
    )
)

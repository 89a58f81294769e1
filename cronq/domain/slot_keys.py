"""The keys of a job that say what becomes of its slots."""

from collections.abc import Mapping

from cronq.domain.document_parts import Key
from cronq.domain.document_values import SPAN_FORMAT, Choice, Number, Written
from cronq.domain.rules import OnLost

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
}

"""The keys of a job that are for people: what it is, whose it is, and what to do when it fails."""

from collections.abc import Mapping

from cronq.domain.document_parts import Key, ListOf
from cronq.domain.document_values import Text

DESCRIPTION_LENGTH, OWNER_LENGTH, RUNBOOK_LENGTH, TAG_LENGTH = 4000, 255, 4000, 64  # characters
MOST_TAGS = 20

ABOUT_KEYS: Mapping[str, Key] = {
    "description": Key(Text("What the job is for.", longest=DESCRIPTION_LENGTH)),
    "owner": Key(Text("Who knows about it, and is to be told when it fails.", longest=OWNER_LENGTH)),
    "runbook": Key(
        Text("What to do when it fails: an address to read it at, or the text.", longest=RUNBOOK_LENGTH)
    ),
    "tags": Key(
        ListOf("Words to find it by.", Text("A word.", shortest=1, longest=TAG_LENGTH), most=MOST_TAGS),
        default=[],
    ),
}

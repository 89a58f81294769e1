"""Rules as they are stored."""

from datetime import timedelta

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.document_rules import JOB_KEYS
from cronq.domain.rules import (
    DEFAULT_RULES,
    READERS,
    OnLost,
    Rules,
    decode_rules,
    read_rules,
    rules_as_json,
)


class RulesTests(SynchronousTestCase):
    def test_defaults_cost_nothing(self) -> None:
        """A job without rules has none stored."""
        self.assertIsNone(DEFAULT_RULES.encode())
        self.assertEqual(decode_rules(None), DEFAULT_RULES)

    def test_round_trip(self) -> None:
        """What was stored is read again, in a form that is always the same."""
        rules = Rules(on_lost=OnLost.FAIL, retries=3, retry_delay=timedelta(seconds=90.5), retry_backoff=1.5)
        self.assertEqual(
            rules.encode(), '{"on_lost":"fail","retries":3,"retry_backoff":1.5,"retry_delay":"PT1M30.5S"}'
        )
        self.assertEqual(decode_rules(rules.encode()), rules)

    def test_numbers_as_people_write_them(self) -> None:
        """What was a whole number in the document is shown as one."""
        for backoff, shown in ((2.0, "2"), (1.5, "1.5")):
            found = rules_as_json(Rules(retry_backoff=backoff).encode())["retry_backoff"]
            self.assertEqual(str(found), shown)

    def test_of_a_later_version(self) -> None:
        """What this version does not know is passed over."""
        self.assertEqual(decode_rules('{"retries":1,"sorcery":true}'), Rules(retries=1))

    def test_the_document_says_the_same_defaults(self) -> None:
        """What the schema tells of an absent key is what the rules have."""
        said = {name: key.default for name, key in JOB_KEYS.items() if name in READERS}
        written = {name: default for name, default in said.items() if default is not None}
        self.assertEqual(read_rules(written), DEFAULT_RULES)
        self.assertLessEqual(READERS.keys(), JOB_KEYS.keys())

"""The document of what is stored."""

import json
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.document_writing import WrittenJob, write_document
from cronq.domain.documents import parse_document, read_document
from cronq.domain.errors import BadDocument
from cronq.domain.jobs import Category
from tests.domain.test_document_properties import DOCUMENTS


def written(category: Category) -> str:
    """The document of these jobs, as they are stored."""
    stored = (
        WrittenJob(job.name, job.schedule, None, None, job.command, job.routing_key, job.rules.encode())
        for job in category.jobs
    )
    return write_document(category.name, stored)


class WrittenTests(SynchronousTestCase):
    def document(self, *jobs: dict[str, Any], **more: Any) -> str:
        return written(parse_document({"category": "c", "jobs": list(jobs), **more}).category)

    @given(DOCUMENTS)
    def test_round_trip(self, data: Any) -> None:
        """Whatever was accepted is read again as the same, without a remark."""
        try:
            category = parse_document(data, name="größe").category
        except BadDocument:
            return
        again = read_document(written(category))
        self.assertEqual(again.category, category)
        self.assertFalse([each for each in again.warnings if "unknown key" in each])

    def test_keys(self) -> None:
        """A job has the keys that it needs, what it is and when it runs first; defaults are among them."""
        job = {"command": "true", "timeout": "PT90S", "name": "a", "schedule": ["@daily", "every PT5M"]}
        text = self.document(
            job | {"timezone": "UTC"},
            {"name": "b", "command": "x", "after": ["a"]},
            defaults={"retries": 2, "routing_key": "slow", "environment": {"A": "1"}},
        )
        first, second = json.loads(text)["jobs"]
        self.assertEqual(
            list(first),
            ["name", "schedule", "timezone", "command", "routing_key", "retries", "timeout", "environment"],
        )
        self.assertEqual((first["timeout"], first["routing_key"], first["retries"]), ("PT1M30S", "slow", 2))
        self.assertEqual(second["after"], ["a"])
        self.assertNotIn("schedule", second)

    def test_nothing_needless(self) -> None:
        """What would be the case anyway is not said."""
        text = self.document(
            {"name": "a", "schedule": "@daily", "command": "true", "retries": 0, "routing_key": "default"}
        )
        self.assertEqual(json.loads(text)["jobs"], [{"name": "a", "schedule": "@daily", "command": "true"}])

    def test_empty(self) -> None:
        """A category without jobs."""
        self.assertEqual(self.document(), '{\n  "category": "c",\n  "jobs": []\n}\n')

    def test_jitter(self) -> None:
        """What decides H and jitter is not told: it follows from the names."""
        text = self.document({"name": "a", "schedule": "H * * * *", "command": "true", "jitter": "PT10S"})
        self.assertNotIn("seed", text)

    def test_inherited(self) -> None:
        """The schedule of a job that 0.27 stored is told as one; what nobody can read is left as it is."""
        moment = datetime(2026, 11, 23, 9, 25)
        old = WrittenJob("a", None, moment, timedelta(hours=6), "true", "default", None)
        none = WrittenJob("b", None, None, None, "true", "default", None)
        broken = WrittenJob("d", "{nonsense", None, None, "true", "default", None)
        jobs = json.loads(write_document("c", [old, none, broken]))["jobs"]
        self.assertEqual(
            [job.get("schedule") for job in jobs], ["R/2026-11-23T09:25:00Z/PT6H", None, "{nonsense"]
        )

    def test_for_people(self) -> None:
        """Letters stay letters; what a terminal would obey, or nobody could see, is escaped."""
        name = "größe 備份 🦊 \x1b[31m \u202edesrever\u202c \u2028 \ue000"
        text = self.document({"name": name, "schedule": "@daily", "command": "a\nb\t\\"})
        self.assertIn("größe 備份 🦊 \\u001b[31m \\u202edesrever\\u202c \\u2028 \\ue000", text)
        self.assertTrue(text.replace("\n", "").isprintable())
        self.assertEqual(json.loads(text)["jobs"][0]["name"], name)

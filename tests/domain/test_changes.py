"""What a change of a job has done, as people read it."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.changes import differences

SCRIPT = "#!/bin/sh\nset -eu\ncd /srv\n./load \\\n  --all\necho done\nexit 0"


class DifferenceTests(SynchronousTestCase):
    def keys(self, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, tuple[Any, Any]]:
        return {each.key: (each.before, each.after) for each in differences(before, after)}

    def test_rules(self) -> None:
        """Rules and variables are told one by one, and only those that differ."""
        before = {"rules": {"timeout": "PT1H", "retries": 2, "environment": {"A": "1", "B": "2"}}}
        after = {"rules": {"retries": 3, "environment": {"A": "1", "B": "3"}, "tags": ["x", "y"]}}
        self.assertEqual(
            self.keys(before, after),
            {
                "timeout": ("PT1H", None),
                "retries": ("2", "3"),
                "environment.B": ("2", "3"),
                "tags": (None, "x, y"),
            },
        )
        self.assertEqual(self.keys({}, {"rules": {"retries": 1}}), {"retries": (None, "1")})

    def test_schedule(self) -> None:
        """What is stored as a schedule is told in the keys of a document, without what decides its jitter."""
        stored = (
            '{"jitter":"PT30S","schedule":["0 1 * * *","0 2 * * *"],"seed":"0123","timezone":"Asia/Tokyo"}'
        )
        self.assertEqual(
            self.keys({"schedule": "0 1 * * *"}, {"schedule": stored}),
            {
                "schedule": ("0 1 * * *", "0 1 * * *, 0 2 * * *"),
                "timezone": (None, "Asia/Tokyo"),
                "jitter": (None, "PT30S"),
            },
        )
        self.assertEqual(self.keys({"schedule": "{nonsense"}, {}), {"schedule": ("{nonsense", None)})
        self.assertEqual(self.keys({"schedule": None}, {"schedule": None}), {})

    def lines(self, before: str | None, after: str | None) -> tuple[str, ...]:
        (found,) = differences({"command": before}, {"command": after})
        return found.lines

    def test_lines(self) -> None:
        """Of a long text it is told which lines differ, with some of those around them."""
        changed = SCRIPT.replace("--all", "--new").replace("exit 0", "exit 1\n# end")
        self.assertEqual(
            self.lines(SCRIPT, changed),
            (
                " …",
                " cd /srv",
                " ./load \\",
                "-  --all",
                "+  --new",
                " echo done",
                "-exit 0",
                "+exit 1",
                "+# end",
            ),
        )
        self.assertEqual(self.lines("a\nb", "a\nb\nc"), (" a", " b", "+c"))
        self.assertEqual(self.lines("--a", "--a\n++b"), (" --a", "+++b"))

    def test_no_lines(self) -> None:
        """One line is shown as it is, and so is what is not there, or is very long."""
        self.assertEqual(self.lines("true", "false"), ())
        self.assertEqual(self.lines(None, SCRIPT), ())
        self.assertEqual(self.lines(SCRIPT, None), ())
        self.assertEqual(self.lines("x\n" * 500, "y\n" * 500), ())

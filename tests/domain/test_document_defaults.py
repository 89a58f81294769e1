"""What holds for all jobs of a document, and the rules that a job may ask for."""

from datetime import timedelta
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.command_keys import ENVIRONMENT_LENGTH, OWN_VARIABLES
from cronq.domain.document_rules import DEFAULT_KEYS
from cronq.domain.documents import parse_document, read_document
from cronq.domain.errors import BadDocument
from cronq.domain.jobs import JobDefinition
from cronq.domain.message_rules import command_rules
from cronq.domain.rules import DEFAULT_RULES, RULES_LENGTH, OnLost, Rules, decode_rules, rules_as_json
from tests.domain.wrong_defaults import WRONG

JOB = {"name": "backup", "schedule": "R/2013-05-29T00:00:00/PT1M", "command": "true"}
OTHER = {"name": "restore"}


def document(defaults: object, *jobs: dict[str, Any]) -> dict[str, Any]:
    """A document with these defaults."""
    return {"category": "example", "defaults": defaults, "jobs": list(jobs or [JOB])}


class RulesCase(SynchronousTestCase):
    """Reads rules from documents."""

    def job(self, defaults: object, **keys: object) -> JobDefinition:
        return parse_document(document(defaults, JOB | keys)).category.jobs[0]

    def rules(self, **keys: object) -> Rules:
        """The rules of a job with these keys, which are the same when they were inherited."""
        own, inherited = self.job({}, **keys).rules, self.job(keys).rules
        self.assertEqual(own, inherited)
        self.assertEqual(decode_rules(own.encode()), own)
        return own

    def assert_faults(self, keys: dict[str, Any], *sentences: str) -> None:
        """In a job and among the defaults, the same is wrong."""
        for place, data in (
            ("jobs[0]", document({}, JOB | keys)),
            ("defaults", document(keys)),
        ):
            error = self.assertRaises(BadDocument, parse_document, data)
            expected = [f"{place}.{sentence}" for sentence in sentences]
            self.assertEqual([str(fault) for fault in error.faults], expected)


class DefaultsTests(RulesCase):
    """The key `defaults`."""

    def test_inherited(self) -> None:
        """A job has the defaults for whatever it does not say itself."""
        defaults = {"routing_key": "slow", "on_lost": "rerun", "timeout": "PT1H"}
        job = self.job(defaults, timeout="PT1M")
        self.assertEqual(job.routing_key, "slow")
        self.assertEqual(job.rules, Rules(on_lost=OnLost.RERUN, timeout=timedelta(minutes=1)))

    def test_nothing_said(self) -> None:
        """Without rules, and with those that are the default anyway, a job has none stored."""
        for keys in ({}, {"kill_grace": "PT10S", "success_codes": [0, 0], "environment": {}}):
            self.assertIsNone(self.rules(**keys).encode())
        self.assertIs(self.job({}).rules, DEFAULT_RULES)

    def test_environment(self) -> None:
        """Each variable is inherited by itself."""
        job = self.job({"environment": {"A": "1", "B": "2"}}, environment={"B": "3", "C": ""})
        self.assertEqual(job.rules.environment, {"A": "1", "B": "3", "C": ""})

    def test_not_an_object(self) -> None:
        """Defaults are an object."""
        for value, name in ((None, "null"), ([], "a list"), ("slow", '"slow"')):
            error = self.assertRaises(BadDocument, parse_document, document(value))
            self.assertEqual(str(error), f"defaults: expected an object, found {name}")

    def test_unknown_keys(self) -> None:
        """What each job has to say itself is no default; that, and slips, are warned of."""
        parsed = parse_document(document({"timout": "PT1H", "schedule": "@daily", "after": []}))
        self.assertEqual(
            parsed.warnings,
            (
                "defaults.timout: unknown key, did you mean timeout?",
                "defaults.schedule: each job says its own, so this is for nothing",
                "defaults.after: each job says its own, so this is for nothing",
            ),
        )

    def test_each_key(self) -> None:
        """A wrong value of any key is one sentence, told once, with its place and what would be right."""
        self.assertEqual(set(WRONG), set(DEFAULT_KEYS))
        for key, (value, sentence) in WRONG.items():
            error = self.assertRaises(BadDocument, parse_document, document({key: value}, JOB, JOB | OTHER))
            self.assertEqual([str(fault) for fault in error.faults], [f"defaults.{sentence}"])

    def test_together(self) -> None:
        """What is only wrong together is told of the defaults, too, and not of each job that has them."""
        backwards = {"start": "2027-01-01", "end": "2026-01-01"}
        for defaults, sentence in (
            ({"between": backwards}, ".between.end: the end is earlier than the start (at character 1)"),
            (
                {"environment": {"A": "\x01" * 30_000}},
                f": its rules have 180024 bytes in all, at most {RULES_LENGTH} are allowed",
            ),
        ):
            error = self.assertRaises(BadDocument, parse_document, document(defaults, JOB, JOB | OTHER))
            self.assertEqual([str(fault) for fault in error.faults], [f"defaults{sentence}"])

    def test_lines(self) -> None:
        """A fault in the defaults is told once, with its line."""
        text = '{"category": "a",\n"defaults": {\n"timeout": 60},\n"jobs": []}'
        error = self.assertRaises(BadDocument, read_document, text)
        self.assertEqual([fault.line for fault in error.faults], [3])


class CommandRulesTests(RulesCase):
    """The rules of how a command is run."""

    def test_timeout(self) -> None:
        """A length of time."""
        self.assertEqual(self.rules(timeout="PT90M").timeout, timedelta(minutes=90))
        self.assertEqual(self.rules(timeout="PT1.5S").encode(), '{"timeout":"PT1.5S"}')
        self.assert_faults({"timeout": 60}, "timeout: expected a text such as PT90S, found 60")
        self.assert_faults({"timeout": None}, "timeout: expected a text such as PT90S, found null")
        self.assert_faults(
            {"timeout": "PT0S"}, "timeout: the shortest duration is one second, PT1S (at character 1)"
        )
        self.assert_faults(
            {"timeout": "P1M"},
            "timeout: 'P1M' has no exact length: write days instead, as in P30D (at character 1)",
        )

    def test_timeout_in_other_words(self) -> None:
        """What is no duration is explained by who reads durations."""
        error = self.assertRaises(BadDocument, self.job, {}, timeout="1h")
        self.assertIn("timeout: '1h' is not a duration of ISO 8601: write PT1H", str(error))

    def test_kill_grace(self) -> None:
        """A length of time."""
        self.assertEqual(self.rules(kill_grace="PT1M").kill_grace, timedelta(minutes=1))
        self.assert_faults({"kill_grace": []}, "kill_grace: expected a text such as PT90S, found a list")

    def test_success_codes(self) -> None:
        """Exit codes in any order, each from 0 to 255, and at least one."""
        self.assertEqual(self.rules(success_codes=[3, 0, 3, 255]).success_codes, (0, 3, 255))
        self.assert_faults({"success_codes": []}, "success_codes: must not be empty")
        self.assert_faults({"success_codes": 0}, "success_codes: expected a list, found 0")
        expected = "expected a whole number from 0 to 255, found"
        self.assert_faults(
            {"success_codes": [0, -1, 256, "1", True, None, 0.5, [1]]},
            f"success_codes[1]: {expected} -1",
            f"success_codes[2]: {expected} 256",
            f'success_codes[3]: {expected} "1"',
            f"success_codes[4]: {expected} true",
            f"success_codes[5]: {expected} null",
            f"success_codes[6]: {expected} 0.5",
            f"success_codes[7]: {expected} a list",
        )
        self.assert_faults(
            {"success_codes": [1] * 257}, "success_codes: has 257 elements, at most 256 are allowed"
        )

    def test_directory_and_shell(self) -> None:
        """Absolute paths, whatever is in them."""
        for key in ("directory", "shell"):
            for path in ("/", "/srv/a b", "/-x/../y\n", "/größe\U0001f418", "/" + "x" * 4094):
                self.assertEqual(getattr(self.rules(**{key: path}), key), path)
            example = "/srv/reports" if key == "directory" else "/bin/bash"
            for wrong, shown in (("", '""'), ("srv", '"srv"'), ("~", '"~"'), ("/a\0", r'"/a\u0000"')):
                self.assert_faults(
                    {key: wrong}, f"{key}: expected an absolute path such as {example}, found {shown}"
                )
            self.assert_faults(
                {key: ["/"]}, f"{key}: expected a text, an absolute path such as {example}, found a list"
            )
            self.assert_faults(
                {key: "/" + "é" * 2048}, f"{key}: has 4097 bytes of UTF-8, at most 4095 are allowed"
            )

    def test_user(self) -> None:
        """A name, or a name and a group."""
        for user in ("backup", "backup:disk", "www-data", "-u"):
            self.assertEqual(self.rules(user=user).user, user)
        for wrong in ("", ":", "a:", ":b", "a:b:c", "a b", "a\n", "a/b"):
            error = self.assertRaises(BadDocument, self.job, {}, user=wrong)
            self.assertIn("user: expected a user such as backup, or user:group, found ", str(error))
        self.assert_faults(
            {"user": 0}, "user: expected a text, a user such as backup, or user:group, found 0"
        )

    def test_umask(self) -> None:
        """Octal digits, as people write them; a number would be taken for another one."""
        for mask in ("027", "0077", "000"):
            self.assertEqual(self.rules(umask=mask).umask, mask)
        for wrong in ("27", "0o27", "8", "1777", "027\n", ""):
            error = self.assertRaises(BadDocument, self.job, {}, umask=wrong)
            self.assertIn("umask: expected an octal mask such as 027, found ", str(error))
        self.assert_faults({"umask": 27}, "umask: expected a text, an octal mask such as 027, found 27")

    def test_about(self) -> None:
        """What is for people is any text, within limits."""
        for key, longest in (("description", 4000), ("runbook", 4000), ("owner", 255)):
            for text in ("x" * longest, "a\nb <b>\u202e\U0001f418"):
                self.assertEqual(getattr(self.rules(**{key: text}), key), text)
            self.assert_faults(
                {key: "x" * (longest + 1)},
                f"{key}: has {longest + 1} characters, at most {longest} are allowed",
            )
        self.assertEqual(self.rules(tags=["a", "b c"]).tags, ("a", "b c"))
        self.assert_faults({"tags": "a"}, 'tags: expected a list, found "a"')
        self.assert_faults(
            {"tags": ["a", "", 1]}, "tags[1]: must not be empty", "tags[2]: expected a text, found 1"
        )
        self.assert_faults({"tags": ["a"] * 21}, "tags: has 21 elements, at most 20 are allowed")

    def test_about_is_not_for_runners(self) -> None:
        """It is not sent to runners."""
        rules = Rules(description="a", owner="b", runbook="c", tags=("d",), timeout=timedelta(hours=1))
        self.assertEqual(command_rules(rules), {"timeout": "PT1H"})

    def test_hostile_environment(self) -> None:
        """Any text is a value, and nearly any a name."""
        hostile = {"A": "'\"; rm -rf /\n$(x)", "-x": "--", "größe": "\U0001f418", "a b\n": "", "%s": "\x7f"}
        self.assertEqual(self.rules(environment=hostile).environment, hostile)

    def test_impossible_environment(self) -> None:
        """What no process can be given, or what cronq says itself, is refused."""
        no_name = "cannot be a variable: its name must not be empty or hold ="
        self.assert_faults({"environment": {"A=B": ""}}, f'environment: "A=B" {no_name}')
        self.assert_faults({"environment": {"": ""}}, f'environment: "" {no_name}')
        self.assert_faults(
            {"environment": {"a\0b": ""}}, r'environment: "\u0000" at character 2 cannot be stored'
        )
        self.assert_faults(
            {"environment": {"A": "\0"}}, r'environment.A: "\u0000" at character 1 cannot be stored'
        )
        self.assert_faults({"environment": {"A": 1}}, "environment.A: expected a text, found 1")
        self.assert_faults({"environment": ["A=1"]}, "environment: expected an object, found a list")
        for name in OWN_VARIABLES:
            self.assert_faults({"environment": {name: ""}}, f'environment: "{name}" is set by cronq itself')

    def test_large_environment(self) -> None:
        """All variables together have a limit, and so has all that is stored of a job's rules."""
        self.rules(environment={"A": "x" * (ENVIRONMENT_LENGTH - 1)})
        size = ENVIRONMENT_LENGTH + 1
        self.assert_faults(
            {"environment": {"A": "x" * ENVIRONMENT_LENGTH}},
            f"environment: has {size} bytes of UTF-8, at most {ENVIRONMENT_LENGTH} are allowed",
        )
        wide = {"environment": {"A": "\x01" * (ENVIRONMENT_LENGTH - 1)}}
        error = self.assertRaises(BadDocument, parse_document, document({}, JOB | wide))
        self.assertRegex(
            str(error), rf"^jobs\[0\]: its rules have \d+ bytes in all, at most {RULES_LENGTH} are allowed$"
        )


class StoredRulesTests(SynchronousTestCase):
    """Rules as they are stored."""

    def test_only_what_is_chosen(self) -> None:
        """Stored is what a document would say, in one form, without what is the default."""
        rules = Rules(on_lost=OnLost.RERUN, timeout=timedelta(hours=36), success_codes=(0, 3))
        text = '{"on_lost":"rerun","success_codes":[0,3],"timeout":"P1DT12H"}'
        self.assertEqual(rules.encode(), text)
        self.assertEqual(decode_rules(text), rules)
        self.assertEqual(
            rules_as_json(text), {"on_lost": "rerun", "success_codes": [0, 3], "timeout": "P1DT12H"}
        )

    def test_none(self) -> None:
        """Nothing stored is all by default."""
        self.assertIs(decode_rules(None), DEFAULT_RULES)
        self.assertEqual(rules_as_json(None), {})

    def test_of_a_later_version(self) -> None:
        """A rule that this version does not know is passed over."""
        self.assertEqual(decode_rules('{"colour":"red","on_lost":"rerun"}'), Rules(on_lost=OnLost.RERUN))

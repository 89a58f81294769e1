"""`cronq users` and `cronq tokens`, on a database of their own."""

import json
import os
import sys
from io import BytesIO, TextIOWrapper
from typing import Any

from argon2 import PasswordHasher

from cronq.commands.cli import main
from cronq.database import gateway, passwords
from cronq.database.access_tables import changes, users
from cronq.database.passwords import is_password
from cronq.database.sessions import begin_session, digest_of
from cronq.database.tokens import find_token
from cronq.database.users import find_user
from tests.commands.cli.case import Terminal
from tests.database.store import OnSQLite, job

PASSWORD = "correct horse battery"


class Typing(Terminal):
    """A terminal at which somebody types."""

    def __init__(self) -> None:
        super().__init__(tty=True)


class CommandCase(OnSQLite):
    """Runs commands on a database."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(gateway, "server_time", lambda _: self.now)
        url = self.engine.url.render_as_string(hide_password=False)
        self.patch(os, "environ", {"DATABASE_URL": url})
        self.patch(passwords, "_hasher", PasswordHasher(1, 8, 1))  # the tests try no strength

    def call(self, *arguments: str, stdin: str = "") -> tuple[int, list[str], list[str]]:
        """Run a command: the exit code, and the lines of the output and of the messages."""
        stdout, stderr = Terminal(), Terminal()
        self.patch(sys, "stdin", TextIOWrapper(BytesIO(stdin.encode())))
        self.patch(sys, "stdout", stdout)
        self.patch(sys, "stderr", stderr)
        code = main(arguments)
        return code, stdout.getvalue().splitlines(), stderr.getvalue().splitlines()

    def add(self, *arguments: str) -> tuple[int, list[str], list[str]]:
        return self.call("users", "add", *arguments, stdin=f"{PASSWORD}\n")


class UsersTests(CommandCase):
    """`cronq users`."""

    def test_first(self) -> None:
        """The first user is an admin, and the next a viewer; the password is what was sent in."""
        said = "From now on the web asks for a login."
        self.assertEqual(self.add("anna"), (0, ["anna may log in as admin."], [said]))
        self.assertEqual(self.add("bob"), (0, ["bob may log in as viewer."], []))
        found: Any = self.read(find_user, "anna")
        self.assertTrue(is_password(found.password, PASSWORD))
        self.assertFalse(is_password(found.password, PASSWORD + "\n"))
        self.assertFalse(is_password(None, PASSWORD))

    def test_no_admin(self) -> None:
        """A first user who is no admin leaves nobody who is, and it is said what to do."""
        _, _, err = self.add("anna", "--role", "viewer")
        self.assertEqual(err[0], "From now on the web asks for a login.")
        self.assertIn("Nobody is an admin", err[1])
        self.assertIn("`cronq users role anna admin`", err[1])

    def test_limited(self) -> None:
        """A role may be limited to categories, if it can do more than look and is no admin's."""
        self.add("anna")
        self.put(job("j"), category="b")
        limits = ("--category", "b", "--category", "a c")
        said = self.add("bob", "--role", "editor", *limits)
        missing = "There is no category a c by now."
        self.assertEqual(said, (0, ["bob may log in as editor of a c, b."], [missing]))
        for role in ("admin", "viewer"):
            code, out, err = self.add("eve", "--role", role, *limits)
            self.assertEqual((code, out), (2, []))
            self.assertIn(f"the role {role} is not limited to categories", err[0])

    def test_refused(self) -> None:
        """A name or a password that cannot be is refused in one line; nothing is added."""
        for name in ("", "a:b", "a b", "-x", "x" * 65, "größe", "a\nb", "<b>"):
            code, out, err = self.add("--", name)
            self.assertEqual((code, out), (2, []), name)
            self.assertIn("a name has 1 to 64 letters", err[0])
        for password in ("", "short", "x" * 257, "aaaaaaaaaaaaaaaa"):
            code, _, err = self.call("users", "add", "anna", stdin=f"{password}\n")
            self.assertEqual((code, len(err)), (2, 1), password)
            self.assertIn("password", err[0])
            self.assertNotIn(password or "-", err[0])
        self.assertEqual(self.rows(users), [])

    def test_twice(self) -> None:
        """There is one user of a name."""
        self.add("anna")
        self.assertEqual(self.add("anna"), (5, [], ["cronq: There is a user anna already."]))

    def test_list(self) -> None:
        """The list has who may do what, and no digest."""
        code, _, err = self.call("users", "list")
        self.assertEqual(
            (code, err),
            (0, ["There are no users: the web listens on loopback only, and asks nobody for a login."]),
        )
        self.add("anna")
        self.call("users", "add", "bob", "--no-password")
        _, out, _ = self.call("users", "list")
        self.assertEqual(
            [line.split() for line in out[1:]],
            [["anna", "admin", "all", "yes", "never"], ["bob", "viewer", "all", "no", "never"]],
        )
        _, out, _ = self.call("users", "list", "--json")
        self.assertEqual(
            json.loads(out[1]),
            {
                "name": "bob",
                "role": "viewer",
                "categories": None,
                "has_password": False,
                "added_at": "2026-01-01T00:00:00",
                "logged_in_at": None,
            },
        )
        self.assertNotIn("argon2", str(out))

    def test_changes(self) -> None:
        """Another password, another role, logged out, removed; each of them by whoever is at the shell."""
        self.put(job("j"), category="c")
        self.add("anna")
        self.add("bob")
        found: Any = self.read(find_user, "bob")
        self.do(begin_session, found, "192.0.2.1", "Browser", None)
        for arguments, said in (
            (("logout", "bob"), "bob is logged out; there were 1 sessions."),
            (("role", "bob", "operator", "--category", "c"), "bob is operator of c now."),
            (("passwd", "bob"), "bob has a new password."),
            (("passwd", "bob", "--no-password"), "bob has no password any more."),
            (("remove", "bob"), "bob is removed."),
        ):
            result = self.call("users", *arguments, stdin="another password\n")
            self.assertEqual(result, (0, [said], []))
        self.assertIn(
            "is the last admin", str(self.add("carl") and self.call("users", "role", "anna", "viewer"))
        )
        self.call("users", "remove", "carl")
        code, _, err = self.call("users", "remove", "anna")
        self.assertEqual((code, err[0][:27]), (0, "There are no users any more"))
        self.assertEqual({row["via"] for row in self.rows(changes)}, {"shell"})
        who = {row["who"] for row in self.rows(changes) if row["action"].startswith("user")}
        self.assertNotIn(None, who)

    def test_nobody(self) -> None:
        """Who is not there is named."""
        for arguments in (("logout", "eve"), ("role", "eve", "viewer"), ("remove", "eve"), ("passwd", "eve")):
            code, _, err = self.call("users", *arguments, stdin=f"{PASSWORD}\n")
            self.assertEqual((code, err), (5, ["cronq: There is no user eve."]))

    def test_at_a_terminal(self) -> None:
        """A password is asked for twice, without being shown, until both are the same."""
        typed = iter([PASSWORD, "something else", PASSWORD, PASSWORD])
        self.patch(sys, "stderr", Terminal())
        asked: list[str] = []

        def type_hidden(prompt: str) -> str:
            asked.append(prompt)
            return next(typed)

        from click import termui

        self.patch(termui, "hidden_prompt_func", type_hidden)
        self.patch(sys, "stdin", Typing())
        self.patch(sys, "stdout", Terminal())
        self.assertEqual(main(["users", "add", "anna"]), 0)
        self.assertEqual(len(asked), 4)
        found: Any = self.read(find_user, "anna")
        self.assertTrue(is_password(found.password, PASSWORD))


class TokensTests(CommandCase):
    """`cronq tokens`."""

    def test_made(self) -> None:
        """The token alone is on standard output, and is good for what was said."""
        code, out, err = self.call(
            "tokens", "add", "deploy", "--role", "editor", "--category", "b", "--expires", "P1M"
        )
        self.assertEqual((code, len(out)), (0, 1))
        self.assertEqual(
            err,
            [
                "The token deploy is good for editor of b; it is not shown again:",
                "There is no category b by now.",
            ],
        )
        found: Any = self.read(find_token, digest_of(out[0]))
        self.assertEqual(found[0].expires_at, self.now.replace(month=2))
        _, listed, _ = self.call("tokens", "list")
        self.assertIn(f"{out[0][:9]}…", listed[1])
        self.assertNotIn(out[0], str(listed))
        _, listed, _ = self.call("tokens", "list", "--json")
        self.assertEqual(json.loads(listed[0])["categories"], ["b"])
        self.assertEqual(self.call("tokens", "revoke", "deploy")[0], 0)
        self.assertIsNone(self.read(find_token, digest_of(out[0])))
        self.assertEqual(self.call("tokens", "list"), (0, [], ["There are no tokens."]))

    def test_refused(self) -> None:
        """What cannot be is refused, and nothing is made."""
        for arguments in (
            ("a b",),
            ("x", "--expires", "tomorrow"),
            ("x", "--expires", "P9999Y"),
            ("x", "--role", "king"),
        ):
            code, out, _ = self.call("tokens", "add", *arguments)
            self.assertEqual((code, out), (2, []), arguments)
        self.assertEqual(self.call("tokens", "revoke", "x"), (5, [], ["cronq: There is no token x."]))

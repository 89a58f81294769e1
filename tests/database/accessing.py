"""Users, sessions, tokens and the record of changes, on any database."""

import json
from datetime import timedelta
from typing import Any

from cronq.database.access_tables import changes, sessions, tokens, users
from cronq.database.categories import replace_category
from cronq.database.jobs import request_run
from cronq.database.sessions import (
    IDLE,
    LIFETIME,
    begin_session,
    digest_of,
    end_session,
    end_sessions,
    find_session,
    see_session,
    sessions_of,
)
from cronq.database.tables import jobs
from cronq.database.tokens import add_token, find_token, list_tokens, revoke_token, use_token
from cronq.database.users import (
    add_user,
    any_users,
    change_user,
    find_user,
    list_users,
    remove_user,
    renew_digest,
    set_password,
)
from cronq.domain.access import Actor, Role, Via
from cronq.domain.errors import NotPossible
from cronq.domain.jobs import Category
from tests.database.store import StoreCase, job

ANNA = Actor("anna", Via.SESSION, "192.0.2.7")
LONG = "é" * 60_000


class AccessCase(StoreCase):
    """With some users."""

    def add(self, name: str, role: Role = Role.ADMIN, password: str | None = "digest") -> Any:
        self.do(add_user, ANNA, name, role, None, password)
        return self.read(find_user, name)

    def recorded(self) -> list[tuple[Any, ...]]:
        """Action, subject, before and after of each change."""
        return [
            (
                row["action"],
                row["subject"],
                *(row[key] and json.loads(row[key]) for key in ("before", "after")),
            )
            for row in self.rows(changes)
        ]


class UserTests(AccessCase):
    """Those who may log in."""

    def test_added(self) -> None:
        """A user is found by exactly this name, with the limit that was given."""
        self.assertFalse(self.read(any_users))
        self.do(add_user, ANNA, "bob", Role.EDITOR, frozenset({"b", "größe/1"}), None)
        found: Any = self.read(find_user, "bob")
        self.assertEqual(
            (found.role, found.categories, found.password), (Role.EDITOR, {"b", "größe/1"}, None)
        )
        self.assertTrue(self.read(any_users))
        for name in ("Bob", "bob ", "BOB", "b%b"):
            self.assertIsNone(self.read(find_user, name), name)
        self.assertEqual(
            self.assertFails(NotPossible, add_user, ANNA, "bob", Role.VIEWER, None, None),
            "There is a user bob already.",
        )

    def test_changed(self) -> None:
        """What was changed is written down, and nothing when nothing was."""
        self.add("anna")
        self.add("bob", Role.VIEWER)
        self.do(change_user, ANNA, "bob", Role.EDITOR, frozenset({"b"}))
        self.do(change_user, ANNA, "bob", Role.EDITOR, frozenset({"b"}))
        self.do(change_user, ANNA, "bob", Role.EDITOR, None)
        self.assertEqual(
            self.recorded()[2:],
            [
                (
                    "user.changed",
                    "bob",
                    {"role": "viewer", "categories": None},
                    {"role": "editor", "categories": ["b"]},
                ),
                ("user.changed", "bob", {"categories": ["b"]}, {"categories": None}),
            ],
        )

    def test_last_admin(self) -> None:
        """Somebody stays who may change users; the last user of all may go."""
        self.add("anna")
        self.add("bob", Role.VIEWER)
        for change in ((change_user, "anna", Role.VIEWER, None), (remove_user, "anna")):
            self.assertIn("is the last admin", self.assertFails(NotPossible, change[0], ANNA, *change[1:]))
        self.do(remove_user, ANNA, "bob")
        self.do(remove_user, ANNA, "anna")
        self.assertEqual(self.read(list_users), [])

    def test_nobody(self) -> None:
        """Who is not there cannot be changed."""
        for change in (
            (change_user, Role.VIEWER, None),
            (remove_user,),
            (set_password, "x"),
            (end_sessions,),
        ):
            said = self.assertFails(NotPossible, change[0], ANNA, "eve", *change[1:])
            self.assertEqual(said, "There is no user eve.")
        self.assertEqual(self.recorded(), [])

    def test_no_secret_is_recorded(self) -> None:
        """The record says that a password was changed, and never a digest."""
        self.add("anna", password="first-digest")
        self.do(set_password, ANNA, "anna", "second-digest")
        self.assertNotIn("digest", str(self.recorded()))
        self.assertEqual(self.recorded()[-1], ("user.password", "anna", None, {"password": "set"}))

    def test_renewed_digest(self) -> None:
        """A digest is replaced only as long as nobody has changed the password."""
        user = self.add("anna")
        self.do(set_password, ANNA, "anna", "changed")
        self.do(renew_digest, user.id, "digest", "renewed")
        self.assertEqual(self.row(users)["password"], "changed")
        self.do(renew_digest, user.id, "changed", "renewed")
        self.assertEqual(self.row(users)["password"], "renewed")


class SessionTests(AccessCase):
    """Who is logged in."""

    def begin(self, user: Any, replaced: str | None = None) -> str:
        return self.do(begin_session, user, "192.0.2.7", "Browser/1.0", replaced)

    def test_begun(self) -> None:
        """The secret leads to the user, and is not in the database."""
        user = self.add("anna")
        secret = self.begin(user)
        found, stale = self.read(find_session, digest_of(secret)) or self.fail("there is no session")
        self.assertEqual((found.name, stale), ("anna", False))
        self.assertNotIn(secret, str(self.rows(sessions)))
        self.assertEqual(self.row(users)["logged_in_at"], self.now)
        self.assertIsNone(self.read(find_session, secret))
        self.assertIsNone(self.read(find_session, digest_of("")))

    def test_each_login_is_another(self) -> None:
        """A login makes a new secret, and the session that the browser had before ends."""
        user = self.add("anna")
        first = self.begin(user)
        second = self.begin(user, digest_of(first))
        self.assertNotEqual(first, second)
        self.assertIsNone(self.read(find_session, digest_of(first)))
        self.assertEqual(len(self.read(sessions_of, user.id)), 1)

    def test_idle(self) -> None:
        """A session that is used stays; one that is not ends."""
        digest = digest_of(self.begin(self.add("anna")))
        for _ in range(3):
            self.now += IDLE - timedelta(seconds=1)
            _, stale = self.read(find_session, digest) or self.fail("it has ended")
            self.assertTrue(stale)
            self.do(see_session, digest)
        self.now += IDLE
        self.assertIsNone(self.read(find_session, digest))

    def test_lifetime(self) -> None:
        """However much it is used, it ends; the next login sweeps up what has ended."""
        user = self.add("anna")
        digest = digest_of(self.begin(user))
        self.now += LIFETIME
        self.do(see_session, digest)
        self.assertIsNone(self.read(find_session, digest))
        self.now += timedelta(seconds=1)
        self.begin(user)
        self.assertEqual(len(self.rows(sessions)), 1)

    def test_ended(self) -> None:
        """Logged out here or everywhere, removed, or with another password: what was known is worthless."""
        anna, bob = self.add("anna"), self.add("bob")
        mine, others = [digest_of(self.begin(anna)) for _ in range(2)], digest_of(self.begin(bob))
        self.do(end_session, mine[0])
        self.assertEqual([self.read(find_session, each) is None for each in mine], [True, False])
        self.assertEqual(self.do(end_sessions, ANNA, "anna"), 1)
        self.assertEqual(self.recorded()[-1], ("user.logged_out", "anna", {"sessions": 1}, None))
        for change in ((set_password, "anna", "other"), (remove_user, "anna")):
            digest = digest_of(self.begin(self.read(find_user, "anna")))
            self.do(change[0], ANNA, *change[1:])
            self.assertIsNone(self.read(find_session, digest))
        self.assertIsNotNone(self.read(find_session, others))

    def test_changed_meanwhile(self) -> None:
        """A password that is changed while it is checked begins no session."""
        user = self.add("anna")
        self.do(set_password, ANNA, "anna", "other")
        self.assertFails(NotPossible, begin_session, user, "", "", None)
        self.do(remove_user, ANNA, "anna")
        self.assertFails(NotPossible, begin_session, user, "", "", None)


class TokenTests(AccessCase):
    """By which programs show who they are."""

    def test_made(self) -> None:
        """A token is known by its name and first characters, and is not in the database."""
        token = self.do(add_token, ANNA, "deploy", Role.EDITOR, frozenset({"billing"}), None)
        self.assertRegex(token, r"^cq_[0-9a-f]{48}$")
        found, unused = self.read(find_token, digest_of(token)) or self.fail("there is no token")
        self.assertEqual((found.role, found.categories, found.added_by), (Role.EDITOR, {"billing"}, "anna"))
        self.assertTrue(unused)
        self.assertTrue(token.startswith(found.hint))
        for table in (tokens, changes):
            self.assertNotIn(token, str(self.rows(table)))
        self.assertFails(NotPossible, add_token, ANNA, "deploy", Role.VIEWER, None, None)
        self.assertIsNone(self.read(find_token, digest_of(found.hint)))

    def test_used(self) -> None:
        """When it was last used is written down every few minutes."""
        digest = digest_of(self.do(add_token, ANNA, "deploy", Role.EDITOR, None, None))
        stale = []
        for minutes in (0, 1, 6):
            self.now += timedelta(minutes=minutes)
            found = self.read(find_token, digest)
            stale.append(found and found[1])
            if found and found[1]:
                self.do(use_token, found[0].id)
        self.assertEqual(stale, [True, False, True])

    def test_expired(self) -> None:
        """At its end it is worthless, and none is made that would be so from the beginning."""
        end = self.now + timedelta(days=1)
        digest = digest_of(self.do(add_token, ANNA, "deploy", Role.EDITOR, None, end))
        self.now = end - timedelta(microseconds=1)
        self.assertIsNotNone(self.read(find_token, digest))
        self.now = end
        self.assertIsNone(self.read(find_token, digest))
        self.assertEqual(len(self.read(list_tokens)), 1)
        self.assertFails(NotPossible, add_token, ANNA, "late", Role.VIEWER, None, self.now)

    def test_revoked(self) -> None:
        """Revoked, it is worthless at once, and its name is free."""
        digest = digest_of(self.do(add_token, ANNA, "deploy", Role.EDITOR, None, None))
        self.do(revoke_token, ANNA, "deploy")
        self.assertIsNone(self.read(find_token, digest))
        self.assertFails(NotPossible, revoke_token, ANNA, "deploy")
        self.do(add_token, ANNA, "deploy", Role.VIEWER, None, None)
        actions = [row[0] for row in self.recorded()]
        self.assertEqual(actions, ["token.added", "token.revoked", "token.added"])


class ChangeTests(AccessCase):
    """What people change of jobs leaves a row."""

    def replace(self, *wanted: Any) -> None:
        self.do(replace_category, Category("example", wanted), ANNA)

    def test_replaced(self) -> None:
        """A replaced category is one row, and each job that it adds, changes or removes is a part of it."""
        self.replace(job("a"), job("b", rules=job().rules), job("c"))
        self.replace(job("a"), job("b", command="false"), job("d"))
        whole, *parts = self.rows(changes)[4:]
        self.assertEqual(json.loads(whole["after"]), {"added": 1, "changed": 1, "removed": 1, "jobs": 3})
        self.assertEqual((whole["who"], whole["via"], whole["address"]), ("anna", "session", "192.0.2.7"))
        self.assertEqual({part["part_of"] for part in parts}, {whole["id"]})
        ids = {row["name"]: row["id"] for row in self.rows(jobs)}
        self.assertEqual([part["job_id"] for part in parts], [ids["d"], ids["b"], ids["c"]])
        plain = {"schedule": job().schedule, "command": "true", "routing_key": "default"}
        self.assertEqual(
            self.recorded()[5:],
            [
                ("job.added", "example/d", None, plain),
                ("job.changed", "example/b", {"command": "true"}, {"command": "false"}),
                ("job.removed", "example/c", plain, None),
            ],
        )

    def test_unchanged(self) -> None:
        """A document that is put in place again changes nothing, and leaves no row."""
        self.replace(job("a"))
        count = len(self.rows(changes))
        self.replace(job("a"))
        self.assertEqual(len(self.rows(changes)), count)

    def test_back_again(self) -> None:
        """A removed job that comes back is added."""
        self.replace(job("a"))
        self.replace()
        self.replace(job("a"))
        self.assertEqual(
            [row[0] for row in self.recorded()],
            [
                "category.replaced",
                "job.added",
                "category.replaced",
                "job.removed",
                "category.replaced",
                "job.added",
            ],
        )
        self.assertEqual({row["job_id"] for row in self.rows(changes)}, {None, self.row(jobs)["id"]})

    def test_long(self) -> None:
        """The longest command and the longest names are kept as they are."""
        self.do(replace_category, Category("c" * 255, (job("🦊" * 255, command=LONG[:30_000]),)), ANNA)
        action, subject, before, after = self.recorded()[-1]
        self.assertEqual((action, subject, before), ("job.added", f"{'c' * 255}/{'🦊' * 255}", None))
        self.assertEqual(after["command"], LONG[:30_000])

    def test_run_by_hand(self) -> None:
        """Whoever asks for a run is written down, with the job."""
        self.replace(job("a"))
        job_id = self.row(jobs)["id"]
        self.do(request_run, job_id, ANNA)
        row = self.rows(changes)[-1]
        self.assertEqual((row["action"], row["subject"], row["job_id"]), ("job.run", "example/a", job_id))
        self.assertIsNone(self.do(request_run, job_id + 1, ANNA))
        self.assertEqual(len(self.rows(changes, action="job.run")), 1)

    def test_nobody_known(self) -> None:
        """What is done on the database itself leaves a row, too."""
        self.do(replace_category, Category("example", (job("a"),)))
        row = self.rows(changes)[0]
        self.assertEqual((row["who"], row["via"], row["address"]), (None, "shell", None))

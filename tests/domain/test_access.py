"""Roles, names, passwords and limits."""

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.access import (
    LONGEST_PASSWORD,
    SHELL,
    SHORTEST_PASSWORD,
    Actor,
    BadAccess,
    Caller,
    Role,
    Via,
    check_limit,
    check_name,
    check_password,
    comparable,
)
from cronq.domain.changes import Difference, differences, only_differing

ANNA = Actor("anna", Via.SESSION, "192.0.2.7")


class RoleTests(SynchronousTestCase):
    def test_order(self) -> None:
        """Each role includes itself and those before it, and none after it."""
        for number, role in enumerate(Role):
            self.assertEqual(
                [role.includes(other) for other in Role], [n <= number for n in range(len(Role))]
            )

    def test_limited(self) -> None:
        """Outside its categories a role may only look; what is about all of them takes the role in all."""
        caller = Caller(ANNA, Role.EDITOR, frozenset({"a"}))
        for role, category, may in (
            (Role.EDITOR, "a", True),
            (Role.OPERATOR, "a", True),
            (Role.ADMIN, "a", False),
            (Role.OPERATOR, "b", False),
            (Role.OPERATOR, "A", False),
            (Role.OPERATOR, None, False),
            (Role.VIEWER, "b", True),
            (Role.VIEWER, None, True),
        ):
            self.assertEqual(caller.may(role, category), may, (role, category))
        self.assertTrue(Caller(ANNA, Role.EDITOR).may(Role.EDITOR, None))

    def test_stranger(self) -> None:
        """Whoever is not known may not even look."""
        self.assertFalse(Caller(SHELL, None).may(Role.VIEWER, None))

    def test_forms(self) -> None:
        """A form belongs to one session, or to one name that came in by one way."""
        callers = (
            Caller(ANNA, Role.VIEWER, session="1"),
            Caller(ANNA, Role.VIEWER, session="2"),
            Caller(Actor("anna", Via.PROXY), Role.VIEWER),
            Caller(Actor("anna", Via.TOKEN), Role.VIEWER),
            Caller(Actor("otto", Via.PROXY), Role.VIEWER),
            Caller(Actor(None, Via.OPEN), Role.EDITOR),
        )
        self.assertEqual(len({each.binding for each in callers}), len(callers))


class BoundsTests(SynchronousTestCase):
    def test_names(self) -> None:
        """A name can be typed, sent in a header, and shown anywhere."""
        for name in ("anna", "a", "Anna.B-c_d@example.com", "x" * 64, "0", "a+b"):
            self.assertEqual(check_name(name), name)
        for name in ("", "x" * 65, "a:b", "a b", " a", "-a", "@a", "a\n", "a/b", "größe", "a\x00", "<i>"):
            self.assertRaises(BadAccess, check_name, name)

    def test_passwords(self) -> None:
        """Long enough to be hard to guess, and short enough to be hashed."""
        for password in ("correct horse", "ü" * 3 + "abcdefghi", "0123456789ab" * 20):
            self.assertEqual(check_password(password, "anna"), password)
        for password in ("x1y2z3" * 1, "a" * 12, "ababababababab", "abcde" * 60, ""):
            self.assertRaises(BadAccess, check_password, password, "anna")
        self.assertRaises(BadAccess, check_password, "Anna.Example.Com", "anna.example.com")
        self.assertLess(SHORTEST_PASSWORD, LONGEST_PASSWORD)

    def test_same_text(self) -> None:
        """Two ways to write an umlaut are one."""
        self.assertEqual(comparable("o\u0308"), comparable("ö"))
        self.assertNotEqual(comparable("o"), comparable("ö"))

    def test_limits(self) -> None:
        """Only a role that may do something in categories, and not in all of them, is limited."""
        self.assertEqual(check_limit(Role.EDITOR, ["b", "a", "b"]), {"a", "b"})
        for role in Role:
            self.assertIsNone(check_limit(role, []))
        for role in (Role.VIEWER, Role.ADMIN):
            self.assertRaises(BadAccess, check_limit, role, ["a"])
        for category in ("", "x" * 256):
            self.assertRaises(BadAccess, check_limit, Role.EDITOR, [category])


class DifferenceTests(SynchronousTestCase):
    def test_only_what_differs(self) -> None:
        """A change keeps the keys that are not as they were, whichever side has them."""
        before, after = {"same": 1, "old": 2, "both": 3}, {"same": 1, "both": 4, "new": 5}
        found = only_differing(before, after)
        self.assertEqual(found, ({"old": 2, "both": 3, "new": None}, {"old": None, "both": 4, "new": 5}))
        self.assertEqual(
            differences(*found),
            (Difference("old", "2", None), Difference("both", "3", "4"), Difference("new", None, "5")),
        )

    def test_texts(self) -> None:
        """Values are told as people read them."""
        after = {"text": "<b>", "list": ["a", "b"], "flag": False, "none": None, "object": {"ü": 1}}
        found = [(each.key, each.before, each.after) for each in differences(None, after)]
        self.assertEqual(
            found,
            [
                ("text", None, "<b>"),
                ("list", None, "a, b"),
                ("flag", None, "false"),
                ("object", None, '{"ü": 1}'),
            ],
        )
        self.assertEqual(differences(None, None), ())

"""Who may do what: roles, who holds them, and what a name and a password have to be."""

import enum
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from cronq.domain.errors import CronqError

#: NIST SP 800-63B-4, section 3.1.1.2, asks for a bound that is not below 64; the work of hashing needs one.
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
#: A password of fewer different characters is a keyboard that was leant on.
FEWEST_CHARACTERS = 5
LONGEST_NAME = 64
LONGEST_CATEGORY = 255

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]*", re.ASCII)


class BadAccess(CronqError):
    """A name, a password or a limit that no user or token can have; the text says what is expected."""


class Role(enum.StrEnum):
    """What somebody may do; each role includes those before it."""

    #: Look at everything.
    VIEWER = "viewer"
    #: Run, kill and pause jobs.
    OPERATOR = "operator"
    #: Change jobs, and so run any code on the runners.
    EDITOR = "editor"
    #: Change users and tokens.
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that the other may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class Via(enum.StrEnum):
    """How somebody has shown who they are."""

    SESSION = "session"
    #: Sent with the request itself (RFC 7617).
    PASSWORD = "password"  # noqa: S105
    TOKEN = "token"  # noqa: S105
    #: A proxy that is trusted said so.
    PROXY = "proxy"
    #: Not at all: nobody has to log in.
    OPEN = "open"
    #: At a shell of a machine that reaches the database.
    SHELL = "shell"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something, for the record."""

    #: None: nobody had to say.
    name: str | None
    via: Via
    #: None: on a machine that reaches the database.
    address: str | None = None


#: Whoever works on the database itself, such as a daemon that loads a document at its start.
SHELL = Actor(None, Via.SHELL)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, and what they may do."""

    actor: Actor
    #: None: a stranger, who may do nothing.
    role: Role | None
    #: The only ones in which the role may do more than look; None: all.
    categories: frozenset[str] | None = None
    #: Of whoever has logged in: the digest by which the session is found.
    session: str | None = field(default=None, repr=False)
    #: Whoever is in the table `users`.
    user_id: int | None = None

    def may(self, role: Role, category: str | None) -> bool:
        """Whether they may do what takes this role, in a category or, with None, in all."""
        if self.role is None or not self.role.includes(role):
            return False
        return role == Role.VIEWER or self.categories is None or category in self.categories

    @property
    def binding(self) -> str:
        """What a form that was made for them is bound to."""
        return f"{self.actor.via}:{self.session or self.actor.name or ''}"

    @property
    def sent_by_browser(self) -> bool:
        """Whether a browser adds by itself what tells who they are, also to what a page of others sends."""
        return self.actor.via in {Via.SESSION, Via.PROXY}


def check_name(name: str) -> str:
    """The name of a user or token; raises `BadAccess`. (A colon would end it in basic authentication.)"""
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise BadAccess(
            f"a name has 1 to {LONGEST_NAME} letters, digits and . _ @ + -, and begins with a letter or digit"
        )
    return name


def check_password(password: str, name: str) -> str:
    """A password that the user may have; raises `BadAccess`."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadAccess(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    if len(set(password)) < FEWEST_CHARACTERS or password.lower() == name.lower():
        raise BadAccess("this password is too easy to guess")
    return password


def comparable(password: str) -> str:
    """The same text for a password, whichever way a keyboard makes an umlaut (NIST SP 800-63B-4, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def check_limit(role: Role, categories: Iterable[str]) -> frozenset[str] | None:
    """The categories that a role is limited to, None when there are none; raises `BadAccess`."""
    found = frozenset(categories)
    if not found:
        return None
    if role in {Role.VIEWER, Role.ADMIN}:
        raise BadAccess(f"the role {role} is not limited to categories: it is about all of them")
    if any(not 0 < len(each) <= LONGEST_CATEGORY for each in found):
        raise BadAccess(f"the name of a category has 1 to {LONGEST_CATEGORY} characters")
    return found

"""Users of this machine, as whom commands may be run."""

import grp
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass

from cronq.domain.errors import CannotStart


@dataclass(frozen=True, slots=True)
class Account:
    """What a process of a user has."""

    name: str
    uid: int
    gid: int
    #: All groups, the first one included.
    groups: tuple[int, ...]
    #: What a login says of the user.
    environment: Mapping[str, str]

    @property
    def is_own(self) -> bool:
        """Whether this process is the user's already, so that there is nothing to switch."""
        return (self.uid, self.gid) == (os.geteuid(), os.getegid())


def find_account(user: str) -> Account:
    """The account of `user`, or of `user:group`; raises `CannotStart` when there is none of that name."""
    name, _, group = user.partition(":")
    try:
        found = pwd.getpwnam(name)
    except (KeyError, ValueError) as error:
        raise CannotStart(f"there is no user {name!r} on this host") from error
    try:
        gid = grp.getgrnam(group).gr_gid if group else found.pw_gid
    except (KeyError, ValueError) as error:
        raise CannotStart(f"there is no group {group!r} on this host") from error
    environment = {"HOME": found.pw_dir, "LOGNAME": name, "USER": name}
    return Account(name, found.pw_uid, gid, tuple(os.getgrouplist(name, gid)), environment)

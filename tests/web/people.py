"""A web with users, tokens and sessions."""

import functools
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from cronq.database.passwords import digest_password
from cronq.database.sessions import begin_session
from cronq.database.tokens import add_token
from cronq.database.users import add_user, find_user
from cronq.domain.access import SHELL, Role
from cronq.domain.runs import Status
from cronq.web.site import WebSettings
from tests.web.seed import add_category, add_job, add_run
from tests.web.support import HOST, Answer, WebTestCase

PASSWORD = "correct horse battery"
SAME_ORIGIN = {"Origin": HOST}


@functools.cache
def digest() -> str:
    """Of `PASSWORD`; made once, since it takes a while."""
    return digest_password(PASSWORD)


class PeopleCase(WebTestCase):
    """Users anna (admin), eddy (editor), otto (operator), vera (viewer).

    Job 1 is in `mine` and 2 in `others`, and a run of each is queued.
    """

    names = {Role.ADMIN: "anna", Role.OPERATOR: "otto", Role.EDITOR: "eddy", Role.VIEWER: "vera"}

    def setUp(self) -> None:
        super().setUp()
        self.write(self.seed)

    def seed(self, connection: Connection) -> None:
        for number, name in enumerate(("mine", "others"), 1):
            job = add_job(connection, add_category(connection, name), f"{name} job")
            add_run(connection, job, Status.QUEUED, run_id=str(number) * 32)
        for role, name in self.names.items():
            add_user(connection, SHELL, name, role, None, digest())

    def session(self, role: Role) -> dict[str, str]:
        """The headers of somebody who has logged in; begins a session without a password."""

        def begin(connection: Connection) -> str:
            user = find_user(connection, self.names[role])
            assert user is not None
            return begin_session(connection, user, "192.0.2.1", "Browser", None)

        return {"Cookie": f"cronq={self.write(begin)}"}

    def token(self, role: Role, *categories: str) -> dict[str, str]:
        """The headers of a program with a new token."""
        name = f"{role}-{len(categories)}-{self.id().rpartition('.')[2]}"[:60]
        limit = frozenset(categories) or None
        token = self.write(add_token, SHELL, name, role, limit, None)
        return {"Authorization": f"Bearer {token}"}

    def log_in(self, name: str = "anna", password: str = PASSWORD, **more: Any) -> Answer:
        """What the form of the login page sends."""
        data = {"name": name, "password": password} | more.pop("fields", {})
        headers = SAME_ORIGIN | more.pop("headers", {})
        return self.post("/login", data=data, headers=headers)

    def settings_with(self, **access: Any) -> WebSettings:
        """Settings with these about access."""
        return replace(self.settings, access=replace(self.settings.access, **access))


def cookie_of(answer: Answer) -> str:
    """What a browser sends back."""
    header = answer.header("Set-Cookie")
    assert header is not None, answer.code
    return header.partition(";")[0]

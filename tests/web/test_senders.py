"""Whether it is the caller who wants a change, or a page of somebody else."""

from cronq.domain.access import Role
from cronq.web.http.bodies import BODY_LIMIT
from tests.web.people import SAME_ORIGIN, PeopleCase
from tests.web.seed import add_category, add_job
from tests.web.support import HOST, WebTestCase

RUN = {"run_now": "1"}


class SessionTests(PeopleCase):
    """Whoever has logged in: the browser adds the cookie, whoever had it send the request."""

    def test_something_has_to_say_so(self) -> None:
        """A change needs one of three: a form of ours, and what browsers say in two ways."""
        cookie = self.session(Role.OPERATOR)
        for headers, code in (
            ({}, 403),
            ({"Origin": HOST}, 303),
            ({"Sec-Fetch-Site": "same-origin"}, 303),
            ({"Referer": f"{HOST}/job/1"}, 303),
            ({"Referer": "http://evil.example/"}, 403),
            ({"Referer": f"http://evil.example/?{HOST}"}, 403),
            ({"Origin": "null"}, 403),
            ({"Sec-Fetch-Site": "same-site", "Origin": HOST}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Origin": "http://evil.example", "Referer": HOST}, 403),
        ):
            self.assertEqual(self.post("/job/1", data=RUN, headers=cookie | headers).code, code, headers)

    def test_form(self) -> None:
        """The form on the page works without any header, and for nobody but whoever it was made for."""
        otto, eddy = self.session(Role.OPERATOR), self.session(Role.EDITOR)
        fields = RUN | {"form_token": self.get("/job/1", headers=otto).page.token("/job/1")}
        self.assertEqual(self.post("/job/1", data=fields, headers=otto).code, 303)
        self.assertEqual(self.post("/job/2", data=fields, headers=otto).code, 403)
        self.assertEqual(self.post("/job/1", data=fields, headers=eddy).code, 403)
        self.assertEqual(self.post("/job/1", data=fields, headers=eddy | SAME_ORIGIN).code, 403)
        again = self.session(Role.OPERATOR)
        self.assertEqual(self.post("/job/1", data=fields, headers=again).code, 403)

    def test_looking_changes_nothing(self) -> None:
        """No change hides behind GET or HEAD."""
        cookie = self.session(Role.ADMIN)
        pages = {route.path for route in self.site.routes if "GET" in route.methods}
        for path in {route.path for route in self.site.routes} - pages:
            if "<" not in path:
                for method in ("GET", "HEAD"):
                    self.assertEqual(self.ask(method, path, headers=cookie).code, 405, path)


class ContentTypeTests(PeopleCase):
    """What a form of others can send is no JSON."""

    def code(self, headers: dict[str, str]) -> int:
        return self.ask("PUT", "/api/category/c", data=b'{"jobs": []}', headers=headers).code

    def test_where_a_login_is_asked_for(self) -> None:
        """A body of JSON says that it is, whoever sends it."""
        token = self.token(Role.EDITOR)
        for value, code in (
            ("application/json", 200),
            ("application/JSON; charset=utf-8", 200),
            ("text/plain", 415),
            ("application/x-www-form-urlencoded", 415),
            ("text/plain; application/json", 415),
            ("application/jsonx", 415),
        ):
            self.assertEqual(self.code(token | {"Content-Type": value}), code, value)
        self.assertEqual(self.code(token), 415)
        said = self.ask("PUT", "/api/category/c", data=b"{}", headers=token).json["error"]["message"]
        self.assertIn("-H 'Content-Type: application/json'", said)

    def test_nothing_to_say(self) -> None:
        """A request without a body needs no type."""
        self.assertEqual(self.post("/api/jobs/1/run", headers=self.token(Role.OPERATOR)).code, 200)


class OpenContentTypeTests(WebTestCase):
    """The same where nobody has to log in."""

    def test_browsers_and_programs(self) -> None:
        """As curl sends it, a document is fine; whatever has a header of a browser says what it is."""
        self.write(add_job, self.write(add_category, "c"), "j")
        for name, value in (
            ("Origin", HOST),
            ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Site", "none"),
            ("Referer", HOST),
            ("Sec-Fetch-Mode", "no-cors"),
            ("Sec-Fetch-Dest", "empty"),
        ):
            for kind, code in (("text/plain", 415), ("application/json", 200)):
                headers = {name: value, "Content-Type": kind}
                answer = self.ask("PUT", "/api/category/d", data=b'{"jobs": []}', headers=headers)
                self.assertEqual(answer.code, code, headers)
        for headers in ({}, {"Content-Type": "text/plain"}):
            answer = self.ask("PUT", "/api/category/d", data=b'{"jobs": []}', headers=headers)
            self.assertEqual(answer.code, 200)

    def test_large(self) -> None:
        """A body that is too large is refused before anybody asks what it is."""
        answer = self.ask("PUT", "/api/category/d", data=b" " * (BODY_LIMIT + 1))
        self.assertEqual(answer.code, 413)

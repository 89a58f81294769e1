"""`GET /api/openapi.json`: what it says is what there is."""

import re
from typing import Any

from jsonschema import Draft202012Validator

from cronq.database.jobs import request_run
from cronq.domain.heartbeats import RunnerStatus
from cronq.web.api.description.document import plain_path
from cronq.web.api.description.operations import OPERATIONS
from tests.web.installation import seed_small
from tests.web.seed import add_runner
from tests.web.support import WebTestCase

QUESTIONS = (
    "/_status",
    "/api/category/billing",
    "/api/category/legacy",
    "/api/category/nope",
    "/api/categories",
    "/api/categories/billing",
    "/api/categories/nope",
    "/api/jobs?per_page=100",
    "/api/jobs?sort=name.desc&category.name=billing",
    "/api/jobs/1",
    "/api/jobs/4",
    "/api/jobs/999",
    "/api/runners",
    "/api/runners/w",
    "/api/runners/x",
    "/api/runners?status=nope",
    "/api/audit?from=P7D",
    "/api/audit?from=x",
    "/api/changes",
    "/api/changes?job=x",
    "/api/overview",
    "/api/openapi.json",
    "/api/runs",
    "/api/runs?job=1&state=failed,timed_out&since=P400D",
    "/api/runs?job=nope",
    "/api/runs?state=nope",
    f"/api/runs/{'0' * 31}1",
    f"/api/runs/{'0' * 31}1/output",
    "/api/runs/x",
    "/api/runs/x/output",
    "/api/runs/x/stream",
)


class DescriptionTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.write(seed_small)
        self.write(add_runner, "w", RunnerStatus.UP)
        self.write(request_run, 1)
        self.described: Any = self.get("/api/openapi.json").json

    def operation(self, method: str, path: str) -> Any:
        """What is said of the route that answers a path."""
        for template, item in self.described["paths"].items():
            parts, wanted = path.partition("?")[0].split("/"), template.split("/")
            if len(parts) == len(wanted) and all(
                one == two or one.startswith("{") for one, two in zip(wanted, parts, strict=True)
            ):
                return item[method.lower()]
        return self.fail(f"nothing is said of {path}")

    def test_every_route(self) -> None:
        """Every route is described with the role that it takes, and nothing is described that is none."""
        routes = {
            f"{method} {plain_path(route.path)}": route.needs
            for route in self.site.routes
            for method in route.methods
        }
        said = {
            f"{method.upper()} {path}": operation["x-cronq-role"]
            for path, item in self.described["paths"].items()
            for method, operation in item.items()
        }
        self.assertEqual(said, routes)
        for_programs = {key for key in routes if " /api/" in key or key.endswith("/_status")}
        self.assertEqual(set(OPERATIONS), for_programs)
        for item in self.described["paths"].values():
            for operation in item.values():
                self.assertRegex(operation["summary"], r"^[A-Z].{5}")

    def test_answers(self) -> None:
        """What is answered, well or ill, has the shape that is described."""
        for path in QUESTIONS:
            answer = self.get(path)
            self.assertAsDescribed(self.operation("GET", path), answer.code, answer.json)
        for method, path, body in (
            ("PUT", "/api/category/new", b'{"jobs": [], "more": 1}'),
            ("PUT", "/api/category/new", b'{"jobs": [{}]}'),
            ("POST", "/api/jobs/1/run", b""),
            ("POST", "/api/jobs/1/run", b'{"reason": 7}'),
            ("POST", "/api/jobs/999/run", b""),
            ("POST", f"/api/runs/{'0' * 31}1/kill", b""),
            ("POST", "/api/runs/x/kill", b""),
            ("POST", f"/api/runs/{'0' * 31}1/again", b""),
            ("POST", "/api/runs/x/again", b""),
            ("POST", "/api/runners/w/drain", b""),
            ("POST", "/api/runners/x/drain", b""),
        ):
            answer = self.ask(method, path, data=body)
            self.assertAsDescribed(self.operation(method, path), answer.code, answer.json)

    def assertAsDescribed(self, operation: Any, code: int, data: Any) -> None:
        self.assertIn(str(code), operation["responses"])
        schema = operation["responses"][str(code)]["content"]["application/json"]["schema"]
        validator = Draft202012Validator(schema | {"components": self.described["components"]})
        self.assertEqual([error.message for error in validator.iter_errors(data)], [])

    def test_queries(self) -> None:
        """Each field of a query that is described counts: nonsense in it is refused, or finds less."""
        for key, operation in OPERATIONS.items():
            path = key.partition(" ")[2]
            for name in operation.query:
                if "{" in path or name in {"sort", "page"}:
                    continue
                found = self.get(f"{path}?{name}=nonsense")
                self.assertTrue(found.code in {400, 404} or found.body != self.get(path).body, (path, name))

    def test_schemas(self) -> None:
        """Every schema is one, and every name that is referred to is there."""
        for schema in self.described["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)
        names = set(re.findall(r"#/components/schemas/(\w+)", str(self.described)))
        self.assertLessEqual(names, set(self.described["components"]["schemas"]))

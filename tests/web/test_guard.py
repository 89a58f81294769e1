"""What every request has to pass, and what every response carries."""

from cronq.web.safety.hosts import Hosts
from cronq.web.site import WebSettings
from tests.web.seed import add_category, add_job, add_runner
from tests.web.support import WebTestCase

EVERY_KIND = (
    "/",
    "/job/1",
    "/job/9",
    "/failures",
    "/runners",
    "/runner/nobody",
    "/api/runners",
    "/audit",
    "/api/audit?from=x",
    "/nope",
    "/_status",
    "/api/jobs",
    "/api/nope",
    "/static/nope",
)


class HeaderTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.write(add_job, self.write(add_category, "c"), "j")

    def test_safe_headers(self) -> None:
        """Browsers are told to run nothing but our own files, to guess nothing, and to frame nothing."""
        refused = self.get("/", headers={"Host": "a b"})
        for answer in (*(self.get(path) for path in EVERY_KIND), refused):
            policy = (answer.header("Content-Security-Policy") or "").split("; ")
            for part in (
                "default-src 'self'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'self'",
            ):
                self.assertIn(part, policy)
            self.assertNotIn("unsafe-inline", " ".join(policy))
            self.assertEqual(answer.header("X-Content-Type-Options"), "nosniff")
            self.assertEqual(answer.header("X-Frame-Options"), "DENY")
            self.assertEqual(answer.header("Referrer-Policy"), "same-origin")
            self.assertEqual(answer.header("Cache-Control"), "no-store")

    def test_head(self) -> None:
        """HEAD is answered like GET, without the body."""
        for path in ("/", "/job/1", "/api/jobs", "/_status"):
            got, head = self.get(path), self.ask("HEAD", path)
            self.assertEqual((head.code, head.body), (200, b""), path)
            self.assertEqual(head.header("Content-Type"), got.header("Content-Type"))
            self.assertEqual(head.header("Content-Length"), str(len(got.body)))

    def test_wrong_method(self) -> None:
        """A method that an address does not know is answered with those that it does."""
        for method, path, allowed in (
            ("DELETE", "/", "GET, HEAD, POST"),
            ("PUT", "/job/1", "GET, HEAD, POST"),
            ("DELETE", "/api/category/c", "GET, HEAD, POST, PUT"),
            ("GET", "/api/jobs/1/run", "POST"),
            ("DELETE", "/runner/a", "GET, HEAD, POST"),
            ("GET", "/api/runners/a/drain", "POST"),
            ("PROPFIND", "/api/jobs", "GET, HEAD"),
        ):
            answer = self.ask(method, path)
            self.assertEqual((answer.code, answer.header("Allow")), (405, allowed), path)
            self.assertIn(method, answer.text)

    def test_programs_get_no_html(self) -> None:
        """What is wrong is said in JSON below /api, and on a page elsewhere."""
        for path in (
            "/api",
            "/api/",
            "/api/nope",
            "/api/jobs/",
            "/api/jobs/x",
            "/api//jobs",
            "/api/category/",
        ):
            answer = self.get(path)
            self.assertEqual(answer.code, 404, path)
            self.assertEqual(answer.json, {"error": {"message": "There is nothing at this address."}})
        for path in (
            "/nope",
            "/job/",
            "/job",
            "//",
            "//job/1",
            "/job//1",
            "/apis",
            "/..",
            "/static/../site.py",
            "/%FF",
        ):
            answer = self.get(path)
            self.assertEqual(answer.code, 404, path)
            self.assertIn("Not Found", answer.page.text)


class CrossSiteTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.write(add_job, self.write(add_category, "c"), "j")
        self.write(add_runner, "r")

    def codes(self, headers: dict[str, str]) -> set[int]:
        """What each kind of change is answered with, when a browser or a program sends these headers."""
        return {
            self.post("/job/1", data={"run_now": "1"}, headers=headers).code,
            self.post("/api/jobs/1/run", headers=headers).code,
            self.post("/api/runners/r/drain", headers=headers).code,
            self.ask("PUT", "/api/category/d", json={"jobs": []}, headers=headers).code,
        }

    def test_pages_of_others(self) -> None:
        """A page of another site cannot have a browser change anything."""
        for headers in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "bogus"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "http://cronq.example:5000"},
            {"Origin": "http://evil.example"},
            {"Origin": "http://cronq.example"},
            {"Origin": "http://cronq.example:5001"},
            {"Origin": "null"},
            {"Origin": "http://["},
            {"Origin": "http://cronq.example:5000.evil.example"},
        ):
            self.assertEqual(self.codes(headers), {403}, headers)
        self.assertEqual(self.wakes, 0)

    def test_pages_of_ours(self) -> None:
        """Our own pages can, behind a proxy that changes the host as well."""
        for headers in (
            {"Sec-Fetch-Site": "same-origin", "Origin": "http://cronq.example:5000"},
            {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": "same-origin", "Origin": "https://public.example"},
            {"Origin": "http://CRONQ.example:5000"},
        ):
            self.assertEqual(self.codes(headers), {200, 303}, headers)

    def test_programs(self) -> None:
        """Programs send none of a browser's headers, and are not hindered."""
        self.assertEqual(self.codes({}), {200, 303})

    def test_looking_is_free(self) -> None:
        """A link from anywhere leads to our pages."""
        self.assertEqual(self.get("/", headers={"Sec-Fetch-Site": "cross-site"}).code, 200)


class HostTests(WebTestCase):
    def code(self, host: str) -> int:
        return self.get("/api/categories", headers={"Host": host}).code

    def test_any_host(self) -> None:
        """Behind a UNIX socket, which no browser reaches, any name will do."""
        self.serve(WebSettings(hosts=Hosts(any=True)))
        for host in (
            "localhost",
            "cronq.example:80",
            "127.0.0.1:5000",
            "[::1]:5000",
            "a_b.example.",
            "x" * 63,
        ):
            self.assertEqual(self.code(host), 200, host)

    def test_no_host(self) -> None:
        """What is no host is refused, and nothing of it is trusted."""
        for host in (
            "a b",
            "a/b",
            "a@b",
            "<script>",
            "x" * 64,
            "a..b",
            "-a",
            ":5000",
            "a:b",
            "[::1",
            "a:99999999",
        ):
            answer = self.get("/", headers={"Host": host})
            self.assertEqual(answer.code, 400, host)
            self.assertNotIn("<script>", answer.text)

    def test_allowed_hosts(self) -> None:
        """With a list of names, a page that had its own name resolved to us reaches nothing."""
        self.serve(WebSettings(hosts=Hosts(frozenset({"cronq.example", "10.0.0.5"}))))
        for host in (
            "localhost",
            "LOCALHOST:5000",
            "a.localhost",
            "127.0.0.1:5000",
            "127.8.9.10",
            "[::1]:5000",
            "CRONQ.example.",
            "10.0.0.5:80",
        ):
            self.assertEqual(self.code(host), 200, host)
        for host in (
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:5000",
            "0.0.0.0:5000",
            "10.0.0.6",
            "notlocalhost",
            "[::2]",
            "2130706433",
        ):
            self.assertEqual(self.code(host), 421, host)

    def test_load_balancers(self) -> None:
        """The check of a load balancer asks by an address, and is answered."""
        self.assertEqual(self.get("/_status", headers={"Host": "10.0.0.5:5000"}).code, 200)

    def test_redirects_name_no_host(self) -> None:
        """The way back after a form leads to a path, whatever host was named."""
        self.write(add_job, self.write(add_category, "c"), "j")
        self.serve(WebSettings(hosts=Hosts(any=True)))
        answer = self.post("/job/1", data={"run_now": "1"}, headers={"Host": "evil.example"})
        self.assertEqual(answer.header("Location"), "/job/1")


class AssetTests(WebTestCase):
    def test_assets(self) -> None:
        """All that a page needs comes from us, at addresses that change with it, to be kept for ever."""
        page = self.get("/").page
        addresses = [each.attributes["href"] for each in page.all("link")]
        addresses += [each.attributes["src"] for each in page.all("script")]
        types = []
        for address in addresses:
            answer = self.get(address)
            self.assertIn("?", address)
            self.assertEqual(answer.code, 200)
            self.assertIn("immutable", answer.header("Cache-Control") or "")
            self.assertNotIn(b"http://www", answer.body.replace(b"http://www.w3.org/2000/svg", b""))
            types.append(answer.header("Content-Type"))
        expected = ["image/svg+xml", "text/css; charset=utf-8", "text/javascript; charset=utf-8"]
        self.assertEqual(sorted(types, key=str), expected)

    def test_script_is_small(self) -> None:
        """The script makes pages livelier and is no program of its own."""
        (script,) = self.get("/").page.all("script")
        self.assertLess(len(self.get(script.attributes["src"]).body), 32_000)

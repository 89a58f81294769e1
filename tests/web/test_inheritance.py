"""A database of 0.27: the API answers of it what 0.27 did, its faults aside."""

import json
import re
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from tests.web.support import WebTestCase

_RECORDED = Path(__file__).parents[1] / "data" / "cronq-0.27"
_INSERT = re.compile(r"INSERT INTO `(\w+)` VALUES (.*);")
_COLUMNS = re.compile(r"CREATE TABLE `(\w+)` \((.*?)\n\)", re.DOTALL)


def adopt(connection: Connection) -> None:
    """Put the rows of 0.27 into the tables of this version."""
    dump = (_RECORDED / "database.sql").read_text()
    columns = {table: re.findall(r"^  (`\w+`)", body, re.MULTILINE) for table, body in _COLUMNS.findall(dump)}
    rows = sorted(_INSERT.findall(dump), key=lambda row: ["categories", "jobs", "events"].index(row[0]))
    for table, values in rows:
        # MariaDB escapes quotes with a backslash, SQLite by doubling them.
        plain = values.replace("\\'", "''").replace('\\"', '"')
        statement = f"INSERT INTO {table} ({', '.join(columns[table])}) VALUES {plain}"
        connection.execute(text(statement.replace(":", "\\:")))


class RecordedAnswersTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.recorded = json.loads((_RECORDED / "http.json").read_text())
        self.write(adopt)

    def assert_same_kind(self, old: Any, new: Any, place: str = "") -> None:
        """Every key that 0.27 had is there, with a value of the same type."""
        if isinstance(old, dict):
            for key, value in old.items():
                self.assertIn(key, new, place)
                self.assert_same_kind(value, new[key], f"{place}.{key}")
        elif old is not None and new is not None:
            self.assertIs(type(new), type(old), place)

    def test_categories(self) -> None:
        """The categories are answered just as they were."""
        for path in ("/_status", "/api/categories", "/api/categories/example"):
            self.assertEqual(self.get(path).json, self.recorded[path]["body"], path)

    def test_jobs(self) -> None:
        """A job and its runs have the keys, types and values that they had."""
        path = "/api/jobs?category.name=example&sort=name.desc&per_page=1"
        (old,) = self.recorded[path]["body"]["data"]["jobs"]
        (new,) = self.get(path).json["data"]["jobs"]
        self.assert_same_kind(old, new)
        for run, old_run in zip(new["runs"], old["runs"], strict=True):
            self.assertEqual({key: run[key] for key in old_run}, old_run)
        markup, runs = old.pop("last_run_text"), old.pop("runs")
        self.assertEqual({key: new[key] for key in old}, old)
        self.assertEqual(new["last_run_text"], re.sub("<.*?>", "", markup))
        self.assertEqual(len(runs), 5)

    def test_all_jobs(self) -> None:
        """No job of 0.27 makes trouble, and all have the shape of the first."""
        (shape, _) = self.recorded["/api/jobs?per_page=2"]["body"]["data"]["jobs"]
        jobs = self.get("/api/jobs").json["data"]["jobs"]
        self.assertEqual(len(jobs), 7)
        for job in jobs:
            self.assert_same_kind({**shape, "runs": []}, job)
            self.assertEqual(self.get(f"/api/jobs/{job['id']}").json, {"data": {"job": job}})

    def test_failed_command(self) -> None:
        """What 0.27 called finished in one place and failed in another is failed everywhere."""
        job = self.get("/api/jobs/3").json["data"]["job"]
        self.assertEqual((job["current_status"], job["last_run_status"]), ("failed", "failed"))
        self.assertEqual({run["status"] for run in job["runs"]}, {"failed"})

    def test_pages(self) -> None:
        """The pages show the jobs, runs and failures of 0.27."""
        self.assertIn("""<b>bold</b> 'quoted' "name\"""", self.get("/").page.text)
        self.assertIn("every 4 seconds", self.get("/job/3").page.text)
        self.assertEqual(len(self.get("/failures?status=any").page.texts("tr")), 1 + 6)

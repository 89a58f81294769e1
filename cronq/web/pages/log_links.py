"""Links from a run to its output in an external log dashboard."""

from datetime import datetime
from urllib.parse import quote, urlsplit

from cronq.database.reading.runs import RunRecord


def check_template(template: str) -> str:
    """Give the template back, or raise `ValueError` with what it has to be: a link that is safe to click."""
    if urlsplit(template).scheme not in {"http", "https"} or not urlsplit(template).netloc:
        raise ValueError("the address of a log dashboard, such as https://logs.example/?run={run_id}")
    return template


def log_link(template: str | None, run: RunRecord, now: datetime) -> str | None:
    """Where the output of the run can be read; None when there is no dashboard, or the run never started."""
    if template is None or run.started_at is None:
        return None
    values = {
        "{job_id}": "" if run.job_id is None else str(run.job_id),
        "{run_id}": run.run_id,
        "{start_time}": _time(run.started_at, "000"),
        "{end_time}": _time(run.ended_at or now, "999"),
    }
    for name, value in values.items():
        template = template.replace(name, value)
    return template


def _time(moment: datetime, milliseconds: str) -> str:
    return quote(f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds}Z", safe="")

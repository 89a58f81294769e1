"""Whole installations for the pages to show: a small one with one of everything, and a large one."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from cronq.database.tables import categories, jobs, runs
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.outputs import Output, Piece, Stream
from cronq.domain.runs import Status
from tests.web.seed import (
    EVERY_MINUTE,
    HOSTILE_NAMES,
    NOW,
    add_category,
    add_full_run,
    add_inherited_run,
    add_job,
    add_output,
    add_run,
    add_runner,
    remove_job,
)


def seed_small(connection: Connection) -> None:
    """One of everything."""
    legacy = add_category(connection, "legacy")
    _seed_inherited(connection, legacy)
    _seed_billing(connection)
    backups = add_category(connection, "maintenance & backups")
    _seed_dump(connection, backups)
    _seed_disk(connection, backups)
    _seed_archive(connection, backups)
    _seed_hostile(connection)
    _seed_runners(connection)


def _ended(status: Status, at: datetime, last: Status | None = None) -> dict[str, Any]:
    last = last or status
    return {
        "current_status": status.value,
        "last_run_status": last.value,
        "last_run_start": at - timedelta(seconds=2),
        "last_run_stop": at,
    }


def _seed_inherited(connection: Connection, legacy: int) -> None:
    old = add_job(
        connection,
        legacy,
        "Sync the warehouse",
        schedule=None,
        interval=timedelta(hours=6),
        next_run=NOW + timedelta(hours=2, minutes=20),
        **_ended(Status.FAILED, NOW - timedelta(days=1)) | {"current_status": "finished"},
    )
    for day in range(9, 0, -1):
        add_inherited_run(connection, old, NOW - timedelta(days=day), day % 4)
    add_inherited_run(connection, old, NOW - timedelta(hours=8), None)
    add_inherited_run(connection, None, NOW - timedelta(hours=7), 1)


def _seed_billing(connection: Connection) -> None:
    billing = add_category(connection, "billing")
    invoices = add_job(
        connection,
        billing,
        "Send invoices",
        schedule="R/2024-01-31T02:30:00Z/P1M",
        command="/srv/billing/bin/invoices --month=last --send | tee -a /var/log/billing/invoices.log",
        routing_key="billing",
        **_ended(Status.SUCCEEDED, datetime(2026, 10, 31, 2, 34, 12)),
    )
    slot = datetime(2026, 10, 31, 2, 30)
    add_full_run(connection, invoices, Status.SUCCEEDED, slot, 252.4, return_code=0)
    dunning = add_job(
        connection,
        billing,
        "Remind debtors",
        schedule="R/2024-01-01T06:00:00Z/P1D",
        command="/srv/billing/bin/remind",
        routing_key="billing",
        **_ended(Status.FAILED, datetime(2026, 11, 23, 6, 0, 4)),
    )
    for day in range(19, 23):
        add_full_run(connection, dunning, Status.SUCCEEDED, datetime(2026, 11, day, 6), 3.9, return_code=0)
    failed = add_full_run(connection, dunning, Status.FAILED, datetime(2026, 11, 23, 6), 4.1, return_code=3)
    add_output(connection, failed, _output())
    rates = add_job(
        connection,
        billing,
        "Fetch exchange rates",
        schedule="R/2024-01-01T00:00:00Z/PT5M",
        command="curl -fsS https://rates.example.net/daily.xml -o /srv/billing/rates.xml",
        **_ended(Status.SUCCEEDED, NOW - timedelta(seconds=19)) | {"current_status": "starting"},
        locked_by="scheduler-1.2211",
    )
    _seed_rates(connection, rates)
    add_job(connection, billing, "Close the year", schedule="R1/2026-12-31T23:00:00Z/P1D", run_now=1)


def _output() -> Output:
    """All colours and shapes, on both streams, with the middle left out."""
    colours = "".join(
        f"\x1b[{number}mletters\x1b[0m \x1b[{number + 10}mground\x1b[0m\n"
        for number in (*range(30, 38), *range(90, 98))
    )
    shapes = "".join(f"\x1b[{number}mshape {number}\x1b[0m\n" for number in (1, 2, 3, 4, 7, 9))
    head = Piece(Stream.OUT, colours + shapes), Piece(Stream.ERR, "trouble \x1b[33mof a colour\n")
    tail = Piece(Stream.OUT, "no debtor could be reminded\n"), Piece(Stream.ERR, "<b>bold</b>: no route\n")
    size = sum(len(piece.text) for piece in head)
    return Output(size + 100_050, head, tail, (size, size + 100_000))


def _seed_rates(connection: Connection, job_id: int) -> None:
    for back in range(40, 0, -1):
        slot = datetime(2026, 11, 23, 4, 10) - timedelta(minutes=5 * back)
        add_full_run(connection, job_id, Status.SUCCEEDED, slot, 0.9 + back % 7 / 10, return_code=0)
    add_run(
        connection,
        job_id,
        Status.MISSED,
        slot=datetime(2026, 11, 23, 4, 10),
        last_slot=datetime(2026, 11, 23, 6, 55),
        slots=34,
        queued_at=datetime(2026, 11, 23, 7),
        recorded_at=datetime(2026, 11, 23, 7),
        reason="no injector claimed it before a later slot was due",
    )
    late = {"return_code": 143, "reason": "it ran longer than 30 seconds"}
    add_full_run(connection, job_id, Status.TIMED_OUT, datetime(2026, 11, 23, 7), 30.0, **late)
    add_full_run(
        connection, job_id, Status.KILLED, NOW - timedelta(minutes=3), 20.0, slot=None, return_code=143
    )
    add_full_run(connection, job_id, Status.RUNNING, datetime(2026, 11, 23, 7, 5), None)


def _seed_dump(connection: Connection, backups: int) -> None:
    dump = add_job(
        connection,
        backups,
        "Dump the database",
        schedule="R/2024-01-01T03:15:00Z/P1D",
        command="pg_dump --format=custom --file=/backup/$(date +%F).dump app",
        routing_key="backup-host",
    )
    add_run(
        connection,
        dump,
        Status.UNROUTABLE,
        slot=datetime(2026, 11, 23, 3, 15),
        queued_at=datetime(2026, 11, 23, 3, 15, 0, 90_000),
        ended_at=datetime(2026, 11, 23, 3, 15, 0, 140_000),
        recorded_at=datetime(2026, 11, 23, 3, 15, 0, 140_000),
        reason="no queue is bound to routing key 'backup-host': no runner that serves it has ever started",
    )


def _seed_disk(connection: Connection, backups: int) -> None:
    disk = add_job(
        connection,
        backups,
        "Check disk space",
        schedule="R/2024-01-01T00:00:00Z/PT15M",
        command="df -h",
        **_ended(Status.FAILED, NOW - timedelta(minutes=5)),
    )
    lost = {"ended_at": NOW - timedelta(minutes=4), "reason": "its runner has been silent for 60 seconds"}
    add_full_run(connection, disk, Status.LOST, NOW - timedelta(minutes=5), None, **lost)


def _seed_archive(connection: Connection, backups: int) -> None:
    old = add_job(connection, backups, "Rotate old archives", schedule=None)
    for day in range(1, 4):
        add_full_run(connection, old, Status.SUCCEEDED, datetime(2026, 11, day, 1), 61.0, return_code=0)
    add_run(
        connection, old, Status.SKIPPED, slot=datetime(2026, 11, 4, 1), queued_at=datetime(2026, 11, 4, 1)
    )
    remove_job(connection, old)
    waiting = add_job(connection, backups, "Index the archive", schedule="R/2024-01-01T00:00:00Z/PT1H")
    add_run(
        connection,
        waiting,
        Status.QUEUED,
        slot=datetime(2026, 11, 23, 7),
        queued_at=datetime(2026, 11, 23, 7, 0, 0, 50_000),
        published_at=datetime(2026, 11, 23, 7, 0, 0, 90_000),
        publications=2,
    )


def _seed_hostile(connection: Connection) -> None:
    hostile = add_category(connection, '<i>hostile</i> & "co"')
    for name in HOSTILE_NAMES:
        job_id = add_job(connection, hostile, name, command=f"echo {name}", routing_key=name)
        times = {"reason": name, "host": name, "return_code": 1}
        add_full_run(connection, job_id, Status.FAILED, datetime(2026, 11, 21, 7), 0.5, **times)


def _seed_runners(connection: Connection) -> None:
    here: dict[str, Any] = {"host": "worker-3.example.net", "routing_keys": '["default", "billing"]'}
    add_runner(connection, "worker-3.example.net.4711", **here, busy=1, clock_ahead=-75.2)
    add_runner(connection, "worker-1.example.net-0b5f3d1c9a2e", RunnerStatus.DRAINING, busy=3)
    gone = NOW - timedelta(minutes=4)
    add_runner(connection, "worker-2.example.net-77aa01c4d9f0", RunnerStatus.SILENT, last_heard=gone)
    ended = NOW - timedelta(hours=3)
    add_runner(connection, "worker-1.example.net-5c20fe81b3d7", RunnerStatus.STOPPED, last_heard=ended)
    for name in HOSTILE_NAMES:
        rest: dict[str, Any] = {
            "host": name,
            "version": name[:32],
            "queue": name,
            "routing_keys": json.dumps([name, name]),
        }
        add_runner(connection, name[:64], RunnerStatus.SILENT, **rest)


def seed_many(connection: Connection, job_count: int, run_count: int) -> None:
    """Many jobs in a hundred categories, and many runs, all but a tenth of them of the first job."""
    names = [{"id": number, "name": f"category {number:03}"} for number in range(1, 101)]
    connection.execute(insert(categories), names)
    connection.execute(insert(jobs), list(_many_jobs(job_count)))
    connection.execute(insert(runs), list(_many_runs(job_count, run_count)))


def _many_jobs(count: int) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        failed = number % 50 == 0
        yield {
            "id": number,
            "name": f"job {number:06}",
            "category_id": 1 + number % 100,
            "schedule": EVERY_MINUTE,
            "interval": timedelta(minutes=1),
            "next_run": NOW + timedelta(seconds=number % 60),
            "command": f"/srv/bin/work --number {number}",
            "routing_key": "default",
        } | _ended(Status.FAILED if failed else Status.SUCCEEDED, NOW - timedelta(seconds=number % 60))


def _many_runs(job_count: int, count: int) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        job_id = 1 if number % 10 else 1 + number // 10 % job_count
        slot = NOW - timedelta(seconds=count - number)
        failed = number % 200 == 0
        yield {
            "id": number,
            "run_id": f"{number:032x}",
            "job_id": job_id,
            "status": (Status.FAILED if failed else Status.SUCCEEDED).value,
            "slot": slot,
            "queued_at": slot,
            "started_at": slot,
            "ended_at": slot + timedelta(seconds=1),
            "recorded_at": slot + timedelta(seconds=1),
            "run_time": 1.0,
            "return_code": int(failed),
            "host": "worker-1",
        }

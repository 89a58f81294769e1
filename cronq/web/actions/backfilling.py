"""Backfills: asking for one, calling it off, and how far they have come."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cronq.database import gateway
from cronq.database.backfilling import Wanted, begin_backfill, count_slots, stop_backfill
from cronq.database.gateway import Database
from cronq.database.reading.backfills import BackfillRecord, find_backfills
from cronq.database.reading.records import find_job
from cronq.domain.access import Caller
from cronq.domain.asking import ASKING_KEYS, read_asking
from cronq.domain.backfilling import MOST_AT_ONCE, MOST_SLOTS, Order
from cronq.domain.document_parts import Key
from cronq.domain.document_values import Choice, Number, Text
from cronq.domain.errors import BadSchedule
from cronq.domain.moments import parse_moment
from cronq.web.http.errors import BadRequest, Conflict, NotFound
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.words.times import exact

_LONGEST_NUMBER = 10  # digits

KEYS: Mapping[str, Key] = {
    **ASKING_KEYS,
    "from": Key(Text("The first slot that may run.", longest=100), required=True),
    "to": Key(Text("The last one; now, when absent.", longest=100)),
    "order": Key(Choice("Which come first.", Order)),
    "at_once": Key(Number("How many may be open at once.", 1, MOST_AT_ONCE)),
}
STOP_KEYS: Mapping[str, Key] = {**ASKING_KEYS, "id": Key(Number("Which.", 1, 2**31 - 1), required=True)}


class Backfills:
    """Answers what is asked of backfills."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, job_id: int, caller: Caller, values: dict[str, Any]) -> str:
        """Ask for the slots of a time that has passed."""
        values = _numbers({key: value for key, value in values.items() if value != ""}, "at_once")
        asking = read_asking(values, KEYS)
        now = await self._database.read(gateway.now)
        since = _moment(values, "from", now)
        until = min(_moment(values, "to", now), now) if "to" in values else now
        if since > until:
            raise BadRequest(f"from: {exact(since)} is later than the end, {exact(until)}")
        slots = await self._database.read(count_slots, job_id, since, until)
        if slots is None:
            raise await self._no_slots(job_id)
        if not 0 < slots <= MOST_SLOTS:
            count = f"more than {MOST_SLOTS:,}" if slots else "no"
            raise BadRequest(
                f"from: there are {count} slots in that time; from 1 to {MOST_SLOTS:,} can be asked for"
            )
        order, at_once = Order(values.get("order", Order.OLDEST)), int(values.get("at_once", 1))
        wanted = Wanted(since, until, order, at_once, asking.why)
        backfill_id = await self._database.transact(begin_backfill, job_id, wanted, slots, caller.actor)
        return (
            f"Backfill {backfill_id} of job {job_id} has begun: of {slots:,} slots, those run that have not."
        )

    async def stop(self, job_id: int, caller: Caller, values: dict[str, Any]) -> str:
        """Call one off."""
        values = _numbers(values, "id")
        read_asking(values, STOP_KEYS)
        backfill_id = int(values["id"])
        if not await self._database.transact(stop_backfill, job_id, backfill_id, caller.actor):
            raise Conflict(f"Job {job_id} has no backfill {backfill_id} that goes on.")
        return f"Backfill {backfill_id} is called off; what runs goes on."

    async def list(self, _request: Request, job_id: int) -> Response:
        """The latest backfills of a job."""
        if await self._database.read(find_job, job_id) is None:
            raise NotFound(f"There is no job {job_id}.")
        found = await self._database.read(find_backfills, job_id)
        return json_response({"data": {"backfills": [_shape(each) for each in found]}})

    async def _no_slots(self, job_id: int) -> NotFound | Conflict:
        job = await self._database.read(find_job, job_id)
        if job is None:
            return NotFound(f"There is no job {job_id}.")
        if job.removed_at is not None:
            return Conflict(f"Job {job_id} is removed from its category.")
        return Conflict(f"Job {job_id} has no schedule, so it has no slots of the past.")


def _moment(values: Mapping[str, Any], key: str, now: datetime) -> datetime:
    try:
        return parse_moment(values[key], now)
    except BadSchedule as error:
        raise BadRequest(f"{key}: {error}") from error


def _numbers(values: dict[str, Any], key: str) -> dict[str, Any]:
    """With a number where a form has its digits."""
    text = values.get(key)
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER:
        return values | {key: int(text)}
    return values


def _shape(backfill: BackfillRecord) -> dict[str, Any]:
    return {
        "id": backfill.id,
        "from": backfill.since.isoformat(timespec="seconds"),
        "to": backfill.until.isoformat(timespec="seconds"),
        "order": backfill.order,
        "at_once": backfill.at_once,
        "reason": backfill.reason,
        "asked_at": backfill.asked_at.isoformat(timespec="seconds"),
        "slots": backfill.slots,
        "had_run": backfill.passed,
        "made": backfill.made,
        "statuses": backfill.statuses,
        "ended_at": backfill.ended_at and backfill.ended_at.isoformat(timespec="seconds"),
        "stopped": backfill.stopped,
    }

"""Replacing what a category consists of, in one transaction, with the books closed first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from cronq.database.access_tables import latest_changes
from cronq.database.books import close_books
from cronq.database.bulk import chunks, insert_rows, update_rows
from cronq.database.changes import Change, record_change, record_parts
from cronq.database.comparing import Changes, compare, fingerprint
from cronq.database.definitions import define_jobs, end_definitions, insert_definitions
from cronq.database.facets import delete_facets, insert_facets
from cronq.database.following import follow_sooner
from cronq.database.gateway import now as database_now
from cronq.database.stored import StoredJob, locked_jobs, stored_jobs, with_definitions
from cronq.database.tables import categories, jobs
from cronq.domain.access import SHELL, Actor
from cronq.domain.changes import Action, job_title
from cronq.domain.document_values import shown
from cronq.domain.errors import BadSchedule, NotPossible
from cronq.domain.jobs import Category, JobDefinition
from cronq.domain.rules import decode_rules
from cronq.domain.schedules import (
    may_have_jitter,
    parse_schedule,
    step_after,
    text_in_place_of,
    text_of_document,
)


class CategoryChanged(NotPossible):
    """It does not consist any more of what somebody thinks it does."""


def replace_category(
    connection: Connection, category: Category, by: Actor = SHELL, expected: str | None = None
) -> None:
    """Make the category hold exactly these jobs, and write down who has changed which of them.

    Slots that are due under the old definitions are settled first, as they stand. An unchanged job keeps its
    next run; a removed one keeps its row, for its history. Raises `CategoryChanged` when the `fingerprint` of
    its jobs is not the one that is expected.
    """
    category_id = _locked_category(connection, category.name)
    stored = _locked_jobs(connection, category_id)
    if expected is not None and fingerprint(stored) != expected:
        raise CategoryChanged(f"Somebody has changed the category {shown(category.name)} meanwhile.")
    now = database_now(connection)  # read after the rows are ours: no one closes their books any more
    changes = compare(stored, category.jobs)
    touched = [*(job for job, _ in changes.changed), *changes.removed]
    # The old definition of each job answers up to here, and the new one from here on.
    since = {job.id: max(now, job.settled_until or now) for job in touched}
    _settle(connection, [job for job in touched if job.removed_at is None], since, now)
    _remove(connection, changes.removed, since, now)
    _change(connection, changes.changed, since)
    ids = _add(connection, category_id, changes.added, now)
    delete_facets(connection, [job.id for job in touched])
    insert_facets(connection, {old.id: new.rules for old, new in changes.changed})
    insert_facets(connection, {ids[new.name]: new.rules for new in changes.added})
    _mark_followed(connection, category_id, {name for job in category.jobs for name in job.rules.after})
    follow_sooner(connection, [old.id for old, new in changes.changed if _waits_for_fewer(old, new)], now)
    whole = _record(connection, by, category, changes, ids)
    if whole is not None:
        connection.execute(delete(latest_changes).where(latest_changes.c.category_id == category_id))
        connection.execute(insert(latest_changes).values(category_id=category_id, change_id=whole))


def _locked_category(connection: Connection, name: str) -> int:
    find = select(categories.c.id).where(categories.c.name == name)
    if connection.scalar(find) is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(categories).values(name=name))
        except IntegrityError:
            pass  # another has made it in this moment
    category_id: int = connection.execute(find.with_for_update()).scalar_one()
    return category_id


def _locked_jobs(connection: Connection, category_id: int) -> list[StoredJob]:
    # By their ids and in order: nobody's job but the category's is locked, and recording reports, which
    # locks jobs in the same order, does not end in a deadlock.
    ids = sorted(connection.scalars(select(jobs.c.id).where(jobs.c.category_id == category_id)))
    return [
        job
        for some in chunks(ids)
        for job in locked_jobs(connection, stored_jobs().where(jobs.c.id.in_(some)).order_by(jobs.c.id))
    ]


def _settle(
    connection: Connection, live: Sequence[StoredJob], since: Mapping[int, datetime], now: datetime
) -> None:
    """Record what is due under the old definitions, and end these."""
    due = define_jobs(connection, [job for job in live if job.is_due(now)], now)
    close_books(connection, due, now, publish_within=0)
    settled = {job.id for job in due}
    rest = with_definitions(connection, [job for job in live if job.id not in settled])
    end_definitions(connection, [*due, *rest], since)


def _remove(
    connection: Connection, removed: Iterable[StoredJob], since: Mapping[int, datetime], now: datetime
) -> None:
    ended = {
        "next_run": None, "run_now": 0, "removed_at": now, "paused_until": None, "pause_reason": None,
        "skip_slot": None, "range_run_id": None,
    }  # fmt: skip
    update_rows(connection, jobs, [ended | {"id": job.id, "settled_until": since[job.id]} for job in removed])


def _change(
    connection: Connection,
    changed: Sequence[tuple[StoredJob, JobDefinition]],
    since: Mapping[int, datetime],
) -> None:
    living = {"removed_at": None, "run_now": 0, "range_run_id": None}
    changed = [(old, _in_place_of(old, new, since[old.id])) for old, new in changed]
    rows = [living | {"id": old.id} | _row(new, since[old.id]) for old, new in changed]
    for row, (old, _) in zip(rows, changed, strict=True):
        # Whoever wants the next slot skipped means the next one, whatever has become of the schedule.
        later = old.skip_slot is not None and old.skip_slot > since[old.id]
        row["skip_slot"] = row["next_run"] if later else None
    update_rows(connection, jobs, rows)
    insert_definitions(connection, [_definition(old.id, new, since[old.id]) for old, new in changed])


def _in_place_of(old: StoredJob, new: JobDefinition, since: datetime) -> JobDefinition:
    """The new job, with what the schedule of the old one leaves to it: what jitter has put off."""
    texts = old.schedule_text or "", new.schedule or ""
    if new.schedule is None or not any(map(may_have_jitter, texts)):
        return new
    # A removed one had no slots since then.
    until = since if old.removed_at is None else old.settled_until or since
    try:
        return replace(new, schedule=text_in_place_of(old.schedule(), new.schedule, until, since))
    except BadSchedule:
        return new  # nobody knows what slots it had


def _add(
    connection: Connection, category_id: int, added: Sequence[JobDefinition], now: datetime
) -> Mapping[str, int]:
    """Add jobs; gives the ids of all jobs of the category by their names."""
    if not added:
        return {}
    rows = [{"name": job.name, "category_id": category_id} | _row(job, now) for job in added]
    insert_rows(connection, jobs, rows)
    names = select(jobs.c.name, jobs.c.id).where(jobs.c.category_id == category_id)
    ids = {row.name: row.id for row in connection.execute(names)}
    insert_definitions(connection, [_definition(ids[job.name], job, now) for job in added])
    return ids


def _record(
    connection: Connection, by: Actor, category: Category, changes: Changes, ids: Mapping[str, int]
) -> int | None:
    """Write down the change with its parts; gives its id, None when nothing has changed."""
    if not changes:
        return None
    after = changes.counts() | {"jobs": len(category.jobs)}
    whole = record_change(connection, by, Change(Action.CATEGORY_REPLACED, category.name, after=after))
    titled = (
        replace(part, subject=job_title(category.name, part.subject), job_id=part.job_id or ids[part.subject])
        for part in changes.parts()
    )
    record_parts(connection, by, whole, titled)
    return whole


def _mark_followed(connection: Connection, category_id: int, names: set[str]) -> None:
    """Say in the row of each job whether others run after it, for who records how it ended."""
    known = select(jobs.c.id, jobs.c.name, jobs.c.followed).where(jobs.c.category_id == category_id)
    changed = [row for row in connection.execute(known) if row.followed != (row.name in names)]
    update_rows(connection, jobs, [{"id": row.id, "followed": row.name in names} for row in changed])


def _waits_for_fewer(old: StoredJob, new: JobDefinition) -> bool:
    return old.removed_at is None and set(new.rules.after) < set(decode_rules(old.rules).after)


def _row(job: JobDefinition, since: datetime) -> dict[str, Any]:
    schedule = None if job.schedule is None else parse_schedule(job.schedule)
    stays = text_of_document(job.schedule)
    return {
        "schedule": job.schedule,
        "interval": stays and step_after(parse_schedule(stays), since),
        "command": job.command,
        "routing_key": job.routing_key,
        "rules": job.rules.encode(),
        "priority": job.rules.priority,
        "next_run": schedule and schedule.first_after(since),
        "settled_until": since,
    }


def _definition(job_id: int, job: JobDefinition, since: datetime) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "since": since,
        "schedule": job.schedule,
        "routing_key": job.routing_key,
        "command": job.command,
        "rules": job.rules.encode(),
    }

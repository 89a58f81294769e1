"""The attempts at one slot, or at one run by hand."""

from sqlalchemy import Connection

from cronq.database.reading.runs import RunRecord, ledger_records, select_runs
from cronq.database.tables import runs

#: No job may ask for more.
MOST_ATTEMPTS = 100
#: Second attempts at other runs by hand of the same job that one is looked for among.
_AMONG = 200


def find_attempts(connection: Connection, run: RunRecord) -> tuple[RunRecord, ...]:
    """All attempts at what this run is an attempt at, in order; it is one of them."""
    if run.inherited or run.slots > 1:
        return (run,)
    if run.slot is not None:
        query = select_runs().where(runs.c.job_id == run.job_id, runs.c.slot == run.slot)
        return tuple(ledger_records(connection, query.order_by(runs.c.attempt).limit(MOST_ATTEMPTS)))
    return (*_before(connection, run), run, *_after(connection, run))


def _before(connection: Connection, run: RunRecord) -> list[RunRecord]:
    found = list[RunRecord]()
    while run.previous_run_id is not None and len(found) < MOST_ATTEMPTS:
        query = select_runs().where(runs.c.run_id == run.previous_run_id)
        previous = ledger_records(connection, query)
        if not previous:
            break
        run = previous[0]
        found.insert(0, run)
    return found


def _after(connection: Connection, run: RunRecord) -> list[RunRecord]:
    """No index knows what came after a run without a slot; but the attempts of a number are few."""
    found = list[RunRecord]()
    while run.superseded and run.id is not None and len(found) < MOST_ATTEMPTS:
        of_number = runs.c.job_id == run.job_id, runs.c.slot.is_(None), runs.c.attempt == run.attempt + 1
        query = select_runs().where(*of_number, runs.c.id > run.id).order_by(runs.c.id).limit(_AMONG)
        among = ledger_records(connection, query)
        after = next((each for each in among if each.previous_run_id == run.run_id), None)
        if after is None:
            break
        found.append(after)
        run = after
    return found

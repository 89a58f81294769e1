"""Finding what people name."""

from cronq.database.gateway import Database
from cronq.database.reading.auditing import find_job_ids
from cronq.domain.document_values import shown
from cronq.domain.jobs import several_job_ids
from cronq.web.http.errors import BadRequest, NotFound


async def named_job(database: Database, text: str) -> int | None:
    """The id of the job with this id, or category and name; None when none is named.

    Raises `NotFound`, and `BadRequest` when several are called so.
    """
    if not text.strip():
        return None
    found = await database.read(find_job_ids, text.strip())
    if not found:
        raise NotFound(f"job: there is no job {shown(text)}")
    if len(found) > 1:
        raise BadRequest(f"job: several jobs are called {shown(text)}. {several_job_ids(found)}")
    return found[0]

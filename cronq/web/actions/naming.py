"""Finding what people name."""

from cronq.database.gateway import Database
from cronq.database.reading.auditing import find_job_id
from cronq.domain.document_values import shown
from cronq.web.http.errors import NotFound


async def named_job(database: Database, text: str) -> int | None:
    """The id of the job with this id, or category and name; None when none is named. Raises `NotFound`."""
    if not text.strip():
        return None
    job_id = await database.read(find_job_id, text.strip())
    if job_id is None:
        raise NotFound(f"job: there is no job {shown(text)}")
    return job_id

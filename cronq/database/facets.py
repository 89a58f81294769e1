"""The facets of jobs, as `replace_category` and the migration that begins with them write them."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, delete, insert

from cronq.database.bulk import chunks
from cronq.database.facet_tables import job_facets
from cronq.domain.facets import facets_of
from cronq.domain.rules import Rules


def insert_facets(connection: Connection, rules: Mapping[int, Rules]) -> None:
    """Those of new jobs, by their ids."""
    rows = [
        {"facet": facet.value, "value": value, "job_id": job_id}
        for job_id, each in rules.items()
        for facet, value in facets_of(each)
    ]
    if rows:
        connection.execute(insert(job_facets), rows)


def delete_facets(connection: Connection, job_ids: Collection[int]) -> None:
    """All of jobs that are removed, or changed."""
    for some in chunks(sorted(job_ids)):
        connection.execute(delete(job_facets).where(job_facets.c.job_id.in_(some)))

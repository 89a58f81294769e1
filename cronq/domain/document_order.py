"""What is wrong with the order in which the jobs of a document are to run after each other."""

from collections.abc import Iterator, Sequence
from typing import Any

from cronq.domain.document_values import shown
from cronq.domain.errors import Fault
from cronq.domain.following import find_cycle
from cronq.domain.json_places import element, member


def order_faults(jobs: Sequence[Any]) -> Iterator[Fault]:
    """Names that no job has, and the way round of jobs that wait for themselves."""
    after, places = {}, {}
    for index, job in enumerate(jobs):
        if isinstance(job, dict) and isinstance(job.get("name"), str):
            names = job.get("after", ())
            right = isinstance(names, list) and all(isinstance(each, str) for each in names)
            after[job["name"]] = names if right else ()
            places[job["name"]] = member(element("jobs", index), "after")
    if not any(after.values()):
        return
    for name, names in after.items():
        for number, other in enumerate(names):
            if other not in after:
                yield Fault(
                    element(places[name], number), f"no job of this document is called {shown(other)}"
                )
    if cycle := find_cycle(after):
        way = " after ".join(map(shown, [*cycle, cycle[0]]))
        yield Fault(places[cycle[0]], f"it would wait for itself: {way}")

"""What the API says of one run in full, and of its output."""

from datetime import datetime

from cronq.database.reading.run_view import RunView
from cronq.database.reading.runs import RunRecord
from cronq.domain.live_output import Written
from cronq.web.actions.look import Part
from cronq.web.actions.looker import SoFar
from cronq.web.api.shapes import Shape, category_shape, run_shape


def run_in_full(view: RunView) -> Shape:
    """A run and all that is known about it."""
    run, job = view.run, view.job
    return run_shape(run, view.events) | {
        "job": job
        and {"id": job.id, "name": job.name, "category": job.category and category_shape(job.category)},
        "times": {
            "due": _exact(run.slot),
            "queued": _exact(run.queued_at),
            "published": _exact(run.published_at),
            "granted": _exact(run.granted_at),
            "started": _exact(run.started_at),
            "ended": None if run.given_up else _exact(run.ended_at),
            "given_up": _exact(run.ended_at) if run.given_up else None,
            "recorded": _exact(run.recorded_at),
        },
        "publications": run.publications,
        "runner": run.runner,
        "command": view.made and view.made.command,
        "routing_key": view.made and view.made.routing_key,
        "kill": view.kill and {"ordered_at": _exact(view.kill.ordered_at), "reason": view.kill.reason},
        "attempts": [_attempt(each) for each in view.attempts],
        "output": view.output and {"size": view.output.size, "left_out": view.output.bytes_left_out},
    }


def output_shape(found: SoFar) -> Shape:
    """What there is of the output of a run."""
    return {
        "run_id": found.run.run_id,
        "status": found.run.status,
        "size": found.size,
        "parts": [part_shape(each) for each in found.parts if isinstance(each, Written)],
        "left_out": sum(each.stop - each.start for each in found.parts if not isinstance(each, Written)),
        "remark": found.remark or None,
    }


def part_shape(part: Part) -> Shape:
    """Output without a break, or the place of one that is missing."""
    place: Shape = {"from": part.start, "to": part.stop}
    if isinstance(part, Written):
        place["pieces"] = [{"stream": each.stream, "text": each.text} for each in part.pieces]
    return place


def _attempt(run: RunRecord) -> Shape:
    return {"id": run.run_id, "attempt": run.attempt, "status": run.status}


def _exact(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="microseconds")

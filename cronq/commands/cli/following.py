"""Following a run: what it writes and what becomes of it, as it comes."""

from cronq.commands.cli.answers import Run, read_run
from cronq.commands.cli.exits import Unreachable
from cronq.commands.cli.queued import why_queued
from cronq.commands.cli.server import Server, Told
from cronq.commands.cli.session import tell
from cronq.commands.cli.waiting import LONG, Patience, Stopwatch
from cronq.commands.cli.writing import Writer
from cronq.domain.runs import Status


def follow_run(server: Server, run_id: str, writer: Writer, patience: Patience) -> Run:
    """Write what a run writes until it is over, and give it as it is then.

    A server that is away, or ends its answer, is asked again, and each byte is written once. Raises
    `CommandFailed` when there is no such run, and when the server stays away for too long.
    """
    following = _Following(server, run_id, writer, patience.stopwatch)
    while True:
        try:
            for told in server.follow(f"api/runs/{run_id}/stream", {"from": following.position}):
                patience.is_there()
                if (ended := following.hear(told)) is not None:
                    return ended
        except Unreachable as error:
            writer.end_lines()
            patience.bear_with(error)
        patience.stopwatch.pause()


class _Following:
    """What has been heard of the run so far."""

    def __init__(self, server: Server, run_id: str, writer: Writer, stopwatch: Stopwatch) -> None:
        #: Bytes that it had written before what comes next.
        self.position = 0
        self._server = server
        self._run_id = run_id
        self._writer = writer
        self._stopwatch = stopwatch
        self._status = ""
        self._since = 0.0
        self._explained = False
        self._remark = ""

    def hear(self, told: Told) -> Run | None:
        """Write what is told, or say it; gives the run when it is over."""
        try:
            return self._hear(told)
        except (KeyError, TypeError, ValueError) as error:
            raise self._server.not_cronq("tells of a run in another way than its API") from error

    def _hear(self, told: Told) -> Run | None:
        if told.id is not None:
            self.position = int(told.id)
        match told.name:
            case "output" | "gap":
                self._writer.write(told.data)
            case "state":
                self._became(read_run(told.data))
            case "remark":
                self._say_remark(str(told.data["message"]))
            case "end":
                self._writer.end_lines()
                return read_run(told.data)
        self._explain()
        return None

    def _became(self, run: Run) -> None:
        if run.status == self._status:
            return  # the server was asked again
        self._status, self._since = run.status, self._stopwatch.elapsed()
        if not run.ended:
            self._writer.end_lines()
            tell(f"Run {run.id} is {run.status}{f' on {run.host}' if run.host else ''}.")

    def _say_remark(self, text: str) -> None:
        if text and text != self._remark:
            self._writer.end_lines()
            tell(text)
        self._remark = text

    def _explain(self) -> None:
        waited = self._stopwatch.elapsed() - self._since
        if self._status == Status.QUEUED and waited >= LONG and not self._explained:
            self._explained = True
            tell(why_queued(self._server, self._run_id))

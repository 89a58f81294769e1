"""Where the output of a run goes: the log file of its job and, if wanted, the daemon's own log."""

import re

from twisted.logger import Logger

from cronq.domain.messages import JobMessage
from cronq.domain.outputs import Stream
from cronq.execution.logs import Log

log = Logger()

#: Bytes of a line that never ends after which it is told in pieces.
LONGEST_LINE = 8192
#: What could pass for another line of the log, or turn what follows it on the terminal that shows it: all
#: control characters but the tab, the separators of lines and paragraphs, and what changes the direction.
_HARMFUL = re.compile("[\0-\x08\n-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class FileOutput:
    """Output to the log file only."""

    def __init__(self, job_log: Log) -> None:
        self._job_log = job_log

    def write(self, _stream: Stream, data: bytes) -> None:
        """Append it as it is."""
        self._job_log.write(data)

    def close(self) -> None:
        """The run is over."""
        self._job_log.close()


class ToldOutput(FileOutput):
    """Output to the log file, and line by line to the daemon's own log."""

    def __init__(self, job_log: Log, job: JobMessage) -> None:
        super().__init__(job_log)
        self._job = job
        self._begun = {stream: bytearray() for stream in Stream}

    def write(self, stream: Stream, data: bytes) -> None:
        """Append it, and tell the lines that are complete."""
        super().write(stream, data)
        begun = self._begun[stream]
        *ends, rest = data.split(b"\n")
        for end in ends:
            begun += end
            self._tell_begun(begun)
            begun.clear()
        begun += rest
        self._tell_pieces(begun)

    def close(self) -> None:
        """The run is over; tell what is left."""
        super().close()
        for begun in self._begun.values():
            if begun:
                self._tell_begun(begun)
                begun.clear()

    def _tell_begun(self, begun: bytearray) -> None:
        self._tell_pieces(begun)
        self._tell(begun.removesuffix(b"\r"))

    def _tell_pieces(self, begun: bytearray) -> None:
        while len(begun) > LONGEST_LINE:
            self._tell(begun[:LONGEST_LINE])
            del begun[:LONGEST_LINE]

    def _tell(self, line: bytes | bytearray) -> None:
        log.info(
            "job {job_id} run {run_id}: {output}",
            job_id=self._job.job_id,
            run_id=self._job.run_id,
            output=_HARMFUL.sub(_escaped, line.decode("utf-8", "backslashreplace")),
        )


def _escaped(harmful: re.Match[str]) -> str:
    return harmful[0].encode("unicode_escape").decode()

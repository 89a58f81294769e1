"""Where the output of a run goes: the log file of its job and, if wanted, the daemon's own log."""

from twisted.logger import Logger

from cronq.domain.messages import JobMessage
from cronq.execution.interface import Stream
from cronq.execution.logs import JobLog

log = Logger()

#: Bytes of a line that never ends after which it is told in pieces.
LONGEST_LINE = 8192


class FileOutput:
    """Output to the log file only."""

    def __init__(self, job_log: JobLog) -> None:
        self._job_log = job_log

    def write(self, _stream: Stream, data: bytes) -> None:
        """Append it as it is."""
        self._job_log.write(data)

    def close(self) -> None:
        """The run is over."""
        self._job_log.close()


class ToldOutput(FileOutput):
    """Output to the log file, and line by line to the daemon's own log."""

    def __init__(self, job_log: JobLog, job: JobMessage) -> None:
        super().__init__(job_log)
        self._job = job
        self._lines = {Stream.OUT: b"", Stream.ERR: b""}

    def write(self, stream: Stream, data: bytes) -> None:
        """Append it, and tell the lines that are complete."""
        super().write(stream, data)
        *lines, rest = (self._lines[stream] + data).split(b"\n")
        while len(rest) > LONGEST_LINE:
            lines.append(rest[:LONGEST_LINE])
            rest = rest[LONGEST_LINE:]
        self._lines[stream] = rest
        for line in lines:
            self._tell(line)

    def close(self) -> None:
        """The run is over; tell what is left."""
        super().close()
        for stream, rest in self._lines.items():
            if rest:
                self._tell(rest)
            self._lines[stream] = b""

    def _tell(self, line: bytes) -> None:
        log.info(
            "job {job_id} run {run_id}: {output}",
            job_id=self._job.job_id,
            run_id=self._job.run_id,
            output=line.decode("utf-8", "backslashreplace"),
        )

"""What goes wrong in the duties of a daemon: one line when it begins, and one when it is over."""

from twisted.logger import Logger

log = Logger()


class Trouble:
    """Shared by duties that need the same thing, so that its outage is told once and not by each of them."""

    def __init__(self) -> None:
        #: What has been told and is not over, and the duty that has told it.
        self._told: dict[str, str] = {}

    def begins(self, duty: str, sentence: str) -> None:
        """A duty does not get on, for the reason that the sentence says."""
        if sentence not in self._told:
            self._told[sentence] = duty
            log.warn("{duty}: {sentence}", duty=duty, sentence=sentence)

    def ends(self, duty: str, sentence: str, *, well: bool) -> None:
        """It is not that any more: `well` says whether all is well, or something else is wrong."""
        if self._told.get(sentence) == duty:
            del self._told[sentence]
            if well:
                log.info("{duty}: goes on", duty=duty)

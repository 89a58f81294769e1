"""Days, and how many runs came to what, in the words of a person."""

from datetime import date

from cronq.domain.days import WORST_FIRST, Counts
from cronq.web.words.wording import status_word


def short_day(day: date) -> str:
    """A day in few letters: `4 Mar 2026`."""
    return f"{day.day} {day:%b %Y}"


def day_in_words(day: date) -> str:
    """A day as it stands in a sentence: `Wednesday, 4 March 2026`."""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def counts_in_words(counts: Counts) -> str:
    """How many came to what, the worst first: `2 failed, 1,438 succeeded`."""
    return ", ".join(
        f"{counts[status]:,} {status_word(status)}" for status in WORST_FIRST if counts.get(status)
    )

r"""Characters that turn the direction of what stands after them (Unicode Standard Annex 9), made visible.

Raw, they make a name or a command look like another one, to those who review it, too. So
pages show them as the command line does: `\u202e`.
"""

import re
from typing import Any

from markupsafe import Markup

#: As a part of a set of characters in a regular expression.
TURNING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_TURNING = re.compile(f"[{TURNING}]")


class AsSent(str):
    """A text of a form that has to come back from a browser as it is."""

    __slots__ = ()


def visible(text: str) -> str:
    """The text with such characters written out."""
    return _TURNING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def finalize(value: Any) -> Any:
    """What a page shows of the value of an expression in its template."""
    # What is markup has been put together of such values already.
    return visible(value) if isinstance(value, str) and not isinstance(value, AsSent | Markup) else value

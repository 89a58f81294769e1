"""Jinja2, set up so that everything is escaped and nothing undefined is passed over."""

from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from cronq.web import times, wording
from cronq.web.assets import Assets
from cronq.web.fields import runner_path
from cronq.web.timeline import timeline


class Templates:
    """Makes pages of the templates beside this file."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=PackageLoader("cronq.web"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "asset": assets.address,
            "address": address,
            "advice": wording.advice,
            "relative": times.relative,
            "runner_path": runner_path,
        }
        self._environment.filters |= {
            "exact": times.exact,
            "wall": times.wall,
            "gap": times.gap,
            "duration": times.duration,
            "kind_word": wording.kind_word,
            "limit_in_words": wording.limit_in_words,
            "limit_word": wording.limit_word,
            "rough": times.rough,
            "clock_in_words": times.clock_in_words,
            "code_in_words": wording.code_in_words,
            "runner_in_words": wording.runner_in_words,
            "status_word": wording.status_word,
            "what_happened": wording.what_happened,
            "timeline": timeline,
        }

    def render(self, name: str, **values: Any) -> str:
        """The page that the template of that name makes of these values."""
        return self._environment.get_template(name).render(values)


def address(path: str, **fields: object) -> str:
    """A path with a query of those fields that are not empty."""
    query = urlencode({name: str(value) for name, value in fields.items() if value})
    return f"{path}?{query}" if query else path

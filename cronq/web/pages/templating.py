"""Jinja2, set up so that everything is escaped and nothing undefined is passed over."""

import shlex
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from cronq.domain.about_keys import ABOUT_KEYS
from cronq.domain.rules import rules_as_json, rules_in_words
from cronq.web.http.assets import Assets
from cronq.web.http.fields import category_path, runner_path
from cronq.web.pages.timeline import timeline
from cronq.web.words import concerns, days, directions, terminal, times, wording


def _rules(stored: str | None) -> list[tuple[str, str]]:
    """Rules by name, but for what is for people and has its own place on a page."""
    said = rules_as_json(stored)
    return rules_in_words({name: value for name, value in said.items() if name not in ABOUT_KEYS})


_FILTERS = {
    "as_sent": directions.AsSent,
    "action_word": wording.action_word,
    "job_action_word": wording.job_action_word,
    "from_where": wording.from_where,
    "exact": times.exact,
    "wall": times.wall,
    "gap": times.gap,
    "counts_in_words": days.counts_in_words,
    "day_in_words": days.day_in_words,
    "duration": times.duration,
    "kind_word": wording.kind_word,
    "printable": terminal.printable,
    "limit_in_words": wording.limit_in_words,
    "limit_word": wording.limit_word,
    "rough": times.rough,
    "in_title": concerns.in_title,
    "is_address": wording.is_address,
    "many": concerns.many,
    "rules": _rules,
    "clock_in_words": times.clock_in_words,
    "code_in_words": wording.code_in_words,
    "runner_in_words": wording.runner_in_words,
    "seconds": times.seconds,
    "sentence": wording.sentence,
    "status_word": wording.status_word,
    "what_happened": wording.what_happened,
    "timeline": timeline,
    "typed": shlex.join,
}


class Templates:
    """Makes pages of the templates beside this file."""

    def __init__(self, assets: Assets) -> None:
        self._environment = Environment(
            loader=PackageLoader("cronq.web"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=directions.finalize,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "asset": assets.address,
            "address": address,
            "advice": wording.advice,
            "parts": concerns.parts,
            "category_path": category_path,
            "relative": times.relative,
            "runner_path": runner_path,
            "summary_of": concerns.summary,
            "told": concerns.told,
        }
        self._environment.filters |= _FILTERS

    def render(self, name: str, **values: Any) -> str:
        """The page that the template of that name makes of these values."""
        return self._environment.get_template(name).render(values)


def address(path: str, **fields: object) -> str:
    """A path with a query of those fields that are not empty."""
    query = urlencode({name: str(value) for name, value in fields.items() if value})
    return f"{path}?{query}" if query else path

"""Which page of a list a program asks for."""

from cronq.web.http.exchange import Request
from cronq.web.http.fields import whole_number

DEFAULT_PER_PAGE, MOST_PER_PAGE = 10, 100


def page_of(request: Request) -> tuple[int, int]:
    """How many there are before the page that is asked for, and how many are on it."""
    page = whole_number(request, "page") or 0
    per_page = min(whole_number(request, "per_page", least=1) or DEFAULT_PER_PAGE, MOST_PER_PAGE)
    return page * per_page, per_page

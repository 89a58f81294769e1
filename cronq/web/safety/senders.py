"""Whether it is a caller who wants a change, or a page of somebody else that has their browser send it.

OWASP: Cross-Site Request Forgery Prevention. A browser says where a request comes from; a form of ours has a
token; a program has neither, and shows who it is by what no browser adds by itself.
"""

from twisted.web.server import Request as ServerRequest

from cronq.domain.access import Caller, Via
from cronq.web.http.errors import Refused, UnsupportedType
from cronq.web.http.exchange import Request, is_json
from cronq.web.safety.form_tokens import FIELD, FormTokens

#: Who asks for a page sends one of these, and no program does unless it means to.
BROWSER_HEADERS = ("Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Origin", "Referer")


def check_site(request: ServerRequest) -> bool:
    """Refuse what a page of another site has sent; gives whether a page of ours has."""
    site = request.getHeader("Sec-Fetch-Site")
    if site is not None:  # no page can forge it, and no proxy that changes Host misleads it
        if site not in {"same-origin", "none"}:
            raise Refused("A page of another site has sent this.")
        return True
    for header in ("Origin", "Referer"):
        value = request.getHeader(header)
        if value is not None:
            if value.partition("://")[2].partition("/")[0].lower() != _host(request):
                raise Refused(f"A page of {value[:200]} has sent this.")
            return True
    return False


def check_wanted(raw: ServerRequest, request: Request, caller: Caller, form_tokens: FormTokens) -> None:
    """Refuse a change that nothing says the caller wants, and what a form of others could say in JSON."""
    if request.wants_json and request.body and not is_json(raw) and not _is_free(raw, caller):
        raise UnsupportedType("Say what the body is: -H 'Content-Type: application/json'")
    if FIELD in request.fields:
        form_tokens.check(caller, request.path, request.fields[FIELD])
        return
    by_page = check_site(raw)
    if not by_page and (caller.role is None or caller.sent_by_browser):
        raise Refused("Nothing says that a page of this cronq has sent this.")


def _is_free(raw: ServerRequest, caller: Caller) -> bool:
    """Whether it is a program where nobody has to log in, as for 0.27."""
    return caller.actor.via is Via.OPEN and not any(raw.getHeader(each) for each in BROWSER_HEADERS)


def _host(request: ServerRequest) -> str:
    return (request.getHeader("Host") or "").lower()

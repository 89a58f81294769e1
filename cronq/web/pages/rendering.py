"""Pages for somebody: with what they may do in them, and with forms that only they can send."""

from functools import partial

from markupsafe import Markup

from cronq.domain.access import Caller
from cronq.web.http.exchange import Request, Response, html_response
from cronq.web.pages.templating import Templates
from cronq.web.safety.form_tokens import FIELD, FormTokens


class Renderer:
    """Makes the page of a request. A template has `caller`, and `form_token(path)` for its forms.

    A form that is sent to several addresses has `token_for(path)` in the button for each.
    """

    def __init__(self, templates: Templates, form_tokens: FormTokens) -> None:
        self._templates = templates
        self._form_tokens = form_tokens

    def page(self, request: Request, name: str, code: int = 200, **values: object) -> Response:
        """The page that a template makes of these values."""
        return html_response(self.text(request, name, **values), code)

    def text(self, request: Request, name: str, **values: object) -> str:
        """The same as a text."""
        tokens = {
            "form_token": partial(self._field, request.caller),
            "token_for": partial(self._form_tokens.issue, request.caller),
        }
        return self._templates.render(name, caller=request.caller, **tokens, **values)

    def _field(self, caller: Caller, path: str) -> Markup:
        token = self._form_tokens.issue(caller, path)
        return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token)

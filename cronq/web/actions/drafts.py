"""Documents that are not in place yet: what they would change, and putting in place what was looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from cronq.database.categories import CategoryChanged, replace_category
from cronq.database.gateway import Database, RunInThread
from cronq.database.reading.documents import Preview, read_preview
from cronq.domain.access import Role
from cronq.domain.documents import Document, read_document
from cronq.domain.errors import BadDocument, Fault
from cronq.web.http.errors import BadRequest, BodyTooLarge
from cronq.web.http.exchange import Request
from cronq.web.http.multipart import is_multipart, multipart_fields
from cronq.web.safety.door import check_category
from cronq.web.words.directions import visible

#: More than that, no browser shows in a form without trouble.
LONGEST = 2 * 1024 * 1024  # bytes
EDITED = "The document is not the one that was looked at any more. This is what it would change now."
CHANGED = "Somebody has changed the category since you looked at it. This is what would change now."


@dataclass(frozen=True, slots=True)
class Draft:
    """A document, and what it would do."""

    #: Empty when it does not say whose it is.
    category: str
    text: str
    faults: tuple[Fault, ...] = ()
    remarks: tuple[Fault, ...] = ()
    #: None when it has faults.
    preview: Preview | None = None
    #: Why it was not put in place, though somebody wanted that.
    conflict: str = ""

    @property
    def digest(self) -> str:
        """Of the text, however a browser ends its lines."""
        return _digest(self.text)


@dataclass(frozen=True, slots=True)
class _Form:
    """What was sent."""

    text: str
    #: Whose document it has to be; empty: it says so itself.
    category: str
    #: What was looked at, and the state of the category at that time.
    seen: str
    before: str


class Drafts:
    """Looks at documents, and puts them in place; pages are made of what it gives."""

    def __init__(
        self, database: Database, run_in_thread: RunInThread, on_run_requested: Callable[[], None]
    ) -> None:
        self._database = database
        self._run_in_thread = run_in_thread
        self._on_run_requested = on_run_requested

    async def look(self, request: Request) -> Draft:
        """What the document in a form would change; raises `BadRequest`, `BodyTooLarge`."""
        form: _Form = await self._run_in_thread(_read_form, request)
        return await self._look(form.text, form.category or None)

    async def put(self, request: Request, category: str) -> Draft | None:
        """Put in place what was looked at; gives None, or the draft when that has to be looked at again.

        Raises `Refused`, and what `look` raises.
        """
        check_category(request.caller, Role.EDITOR, category)
        form: _Form = await self._run_in_thread(_read_form, request)
        if not form.seen or not form.before:
            raise BadRequest("Look first at what the document would change.")
        if _digest(form.text) != form.seen:
            return await self._look(form.text, category, EDITED)
        try:
            document = await self._run_in_thread(_read, form.text, category)
            await self._database.transact(
                replace_category, document.category, request.caller.actor, form.before
            )
        except BadDocument:
            return await self._look(form.text, category)
        except CategoryChanged:
            return await self._look(form.text, category, CHANGED)
        self._on_run_requested()
        return None

    async def _look(self, text: str, category: str | None, conflict: str = "") -> Draft:
        try:
            document: Document = await self._run_in_thread(_read, text, category)
        except BadDocument as error:
            return Draft(category or "", text, error.faults, error.remarks)
        preview = await self._database.read(read_preview, document.category)
        return Draft(document.category.name, text, (), document.remarks, preview, conflict)


def _read(text: str, category: str | None) -> Document:
    return read_document(text, name=category)


def _read_form(request: Request) -> _Form:
    fields = dict(request.fields)
    if is_multipart(request.body):
        fields |= {name: _text(name, value) for name, value in multipart_fields(request.body).items()}
    text = (fields.get("file") or fields.get("document") or "").replace("\r\n", "\n").strip()
    if not text:
        raise BadRequest("There is no document: paste one, or choose a file.")
    if len(text) > LONGEST:
        raise BodyTooLarge(
            f"The document has more than {LONGEST:,} characters: put it in place with `cronq apply`."
        )
    # In JSON, what they are written as says the same; so what is looked at is what is put in place.
    return _Form(visible(text), fields.get("category", ""), fields.get("seen", ""), fields.get("before", ""))


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"{name}: expected UTF-8, and byte {error.start + 1} is something else") from error


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

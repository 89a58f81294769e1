"""What a browser would make of a page, as far as tests ask."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"circle", "input", "link", "meta", "path", "rect"})
#: Between other elements a reader sees a gap.
_INLINE = frozenset({"a", "b", "code", "span", "time"})


@dataclass
class Element:
    """A start tag with its attributes, and the text within it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    #: How many elements there are in it.
    size: int = 0


@dataclass
class Page:
    """The elements of a page in order."""

    elements: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What a reader sees of it."""
        return next((each.text for each in self.elements if each.tag == "body"), self.elements[0].text)

    def all(self, tag: str) -> list[Element]:
        return [each for each in self.elements if each.tag == tag]

    def texts(self, tag: str) -> list[str]:
        return [each.text for each in self.all(tag)]

    def part(self, name: str) -> "Page":
        """What is in the element with that id."""
        (index,) = [number for number, each in enumerate(self.elements) if each.attributes.get("id") == name]
        return Page(self.elements[index : index + self.elements[index].size + 1])

    def link(self, text: str) -> str:
        """Where the one link leads that has this text."""
        (found,) = {each.attributes["href"] for each in self.all("a") if each.text == text}
        return found

    def token(self, action: str = "") -> str:
        """The form token in the form that is sent there; empty: to the page itself."""
        elements = iter(self.elements)
        for each in elements:
            sent = each.tag == "form" and each.attributes.get("method") == "post"
            if sent and each.attributes.get("action", "") == action:
                break
        return next(each.attributes["value"] for each in elements if each.tag == "input")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[Element] = []
        self.places: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in <{tag}>"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.page.elements.append(element)
        self._gap(tag)
        if tag not in _VOID:
            self.open.append(element)
            self.places.append(len(self.page.elements) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        element = self.open.pop()
        assert element.tag == tag, f"</{tag}> ends <{element.tag}>"
        element.text = " ".join(element.text.split())
        element.size = len(self.page.elements) - 1 - self.places.pop()
        self._gap(tag)

    def _gap(self, tag: str) -> None:
        if tag not in _INLINE:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def read_page(html: str) -> Page:
    """Parse a page whose tags must be balanced."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"<{reader.open[-1].tag}> has no end"
    return reader.page


def assert_harmless(html: str) -> None:
    """Fail when the page holds anything that runs, or a link to where we did not mean to lead."""
    page = read_page(html)
    for element in page.elements:
        for name, value in element.attributes.items():
            assert not name.startswith("on"), f"{name} in <{element.tag}>"
            assert name != "style", f"style in <{element.tag}>"
            if name in {"href", "src", "action"}:
                assert value.startswith(("/", "#", "?", "https://logs.example/")), f"{name}={value!r}"
                assert not value.startswith("//"), f"{name}={value!r}"
    assert {each.attributes.get("src", "")[:17] for each in page.all("script")} == {"/static/cronq.js?"}
    assert not any(page.texts("script")), "a script in the page"
    known = {"html", "head", "meta", "title", "link", "script", "body", "a", "header", "div", "svg", "circle"}
    known |= {"path", "nav", "main", "h1", "h2", "h3", "p", "span", "form", "label", "input", "select"}
    known |= {"option", "button", "table", "thead", "tbody", "tr", "th", "td", "small", "time", "code", "pre"}
    known |= {"dl", "dt", "dd", "ol", "ul", "li", "b", "section", "footer", "details", "summary", "textarea"}
    known |= {"del", "ins", "g", "text", "line", "article", "q", "rect", "defs", "pattern"}
    assert {each.tag for each in page.elements} <= known, {each.tag for each in page.elements} - known
    assert not any(each.tag == "b" and each.text == "bold" for each in page.elements)

"""`cronq apply`: makes categories consist of what their documents say."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from cronq.commands.cli.api import list_jobs, replace_category
from cronq.commands.cli.changes import compare
from cronq.commands.cli.exits import CommandFailed, DocumentRefused, Exit
from cronq.commands.cli.server import Server
from cronq.commands.cli.session import Session, examples, json_option, say, say_json, tell, url_option
from cronq.domain.documents import Document, read_document
from cronq.domain.errors import BadDocument, Fault

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """A category document, and where it comes from."""

    #: As messages name it.
    name: str
    text: bytes
    document: Document

    @property
    def category(self) -> str:
        """The name of the category that it describes."""
        return self.document.category.name


@click.command(
    epilog=examples(
        "cronq apply cronq.config", "cronq apply --dry-run *.json", "generate-jobs | cronq apply -"
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--dry-run", is_flag=True, help="Only show what would be added, changed and removed.")
@json_option
@url_option
@click.pass_obj
def apply(session: Session, files: Sequence[str], dry_run: bool, as_json: bool) -> None:
    """Make categories consist of exactly the jobs in these documents.

    Jobs that a document does not have are removed from its category. All documents are checked before
    anything is sent; - is standard input.
    """
    sources = _read_all(files)
    server = session.server()
    for source in sources:
        changes = compare(list_jobs(server, source.category), source.document.category)
        warnings = list(source.document.warnings) if dry_run else _send(server, source)
        if as_json:
            say_json({**changes.as_json(), "applied": not dry_run, "warnings": warnings})
            continue
        say(changes.summary() + (" (dry run, nothing is sent)" if dry_run else ""))
        if dry_run:
            say(changes.details())


def _read_all(files: Sequence[str]) -> list[Source]:
    """Read the documents; says what is wrong with any of them, and then raises `CommandFailed`."""
    if files.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input can be read only once")
    sources = [source for source in map(_read, files) if source is not None]
    refused = len(files) - len(sources) + _repeated(sources)
    if refused:
        message = f"nothing was sent: faults in {refused} of {len(files)} documents"
        raise CommandFailed(message, Exit.BAD_DOCUMENT, "Mend what is said above.")
    return sources


def _read(file: str) -> Source | None:
    name = "<stdin>" if file == STANDARD_INPUT else file
    try:
        text = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        raise CommandFailed(f"{name}: {error.strerror}", Exit.FAILURE, "Nothing was sent.") from error
    try:
        document = read_document(text)
    except BadDocument as error:
        _tell_all(name, error.faults)
        _tell_all(name, error.remarks, "warning: ")
        return None
    _tell_all(name, document.remarks, "warning: ")
    return Source(name, text, document)


def _repeated(sources: Iterable[Source]) -> int:
    """How many documents are about a category that an earlier one is about: they would undo that."""
    owners: dict[str, str] = {}
    count = 0
    for source in sources:
        if source.category in owners:
            message = f"{owners[source.category]} is about {source.category} too"
            _tell_all(source.name, [Fault("category", message)])
            count += 1
        owners[source.category] = source.name
    return count


def _send(server: Server, source: Source) -> list[str]:
    """Apply one document; gives all warnings."""
    known = source.document.warnings
    try:
        warnings = replace_category(server, source.category, source.text)
    except DocumentRefused as error:
        _tell_all(source.name, error.faults)
        hint = "The server is of another version than this command; nothing in the category was changed."
        raise CommandFailed(f"the server refuses {source.name}", error.exit_code, hint) from error
    new = [warning for warning in warnings if warning not in known]
    _tell_all(source.name, [Fault("", warning) for warning in new], "warning: ")
    return [*known, *new]


def _tell_all(name: str, faults: Iterable[Fault], kind: str = "") -> None:
    for fault in faults:
        line = "" if fault.line is None else f"{fault.line}:"
        tell(f"{name}:{line} {kind}{fault}")

"""The public face of the category document: is this file one, and which JSON Schema does it follow?"""

from itertools import takewhile
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from cronq.domain.document_rules import cronq_schema
from cronq.domain.documents import read_document
from cronq.domain.errors import BadDocument
from cronq.domain.json_places import path_of

if TYPE_CHECKING:
    import jsonschema

__all__ = ["cronq_schema", "validate"]


def validate(path: str | PathLike[str]) -> bool:
    """True when the file holds a category document that the API accepts, too.

    Raises `jsonschema.ValidationError`, whose message names every fault with its place: its `context` has an
    error for each, and its `path` leads to the innermost value that holds them all. Raises `OSError` when the
    file cannot be read.
    """
    try:
        read_document(Path(path).read_bytes())
    except BadDocument as error:
        raise _validation_error(error) from error
    return True


def _validation_error(error: BadDocument) -> "jsonschema.ValidationError":
    from jsonschema import ValidationError  # noqa: PLC0415 (a tenth of a second that most users need not spend)

    paths = [path_of(fault.place) for fault in error.faults]
    shared = sum(1 for _ in takewhile(lambda steps: len(set(steps)) == 1, zip(*paths, strict=False)))
    context = [
        ValidationError(fault.message, path=path[shared:])
        for fault, path in zip(error.faults, paths, strict=True)
    ]
    return ValidationError(str(error), path=paths[0][:shared], context=context, cause=error)

"""What the makers of data need of a database."""

from typing import Any, Protocol


class Statements(Protocol):
    """A MariaDB with the tables of cronq, at a prompt."""

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says."""

    def value(self, statement: str, *values: object) -> Any:
        """The one value that the database says."""

"""Types of columns that each server has in a way of its own."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import DateTime, String, types
from sqlalchemy.dialects import mysql

_EPOCH = datetime(1970, 1, 1)
_INSTANT = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


class Name(types.TypeDecorator[str]):
    """Text that is compared exactly. Each server calls the collation without padding by another name."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Any) -> Any:
        """The column's type on this server."""
        if dialect.name not in {"mysql", "mariadb"}:
            return dialect.type_descriptor(String(self.length))
        collation = "utf8mb4_nopad_bin" if dialect.is_mariadb else "utf8mb4_0900_bin"
        return dialect.type_descriptor(mysql.VARCHAR(self.length, charset="utf8mb4", collation=collation))


class Span(types.TypeDecorator[timedelta]):
    """A length of time, stored as 0.27 did: the instant that lies so long after 1970 began."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        """The column's type on this server."""
        return dialect.type_descriptor(_INSTANT)

    def process_bind_param(self, value: timedelta | None, dialect: Any) -> datetime | None:
        """To the database."""
        return None if value is None else _EPOCH + value

    def process_result_value(self, value: datetime | None, dialect: Any) -> timedelta | None:
        """From the database."""
        return None if value is None else value - _EPOCH

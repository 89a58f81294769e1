"""How PyMySQL writes and reads times here. Its own ways take ten to a hundred times as long, and a row of the
ledger has up to seven of them.
"""

from datetime import datetime
from typing import Any

from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions, convert_datetime


def _write(moment: datetime, _mapping: object = None) -> str:
    return f"'{moment.isoformat(sep=' ')}'"


def _read(text: str) -> Any:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return convert_datetime(text)  # such as 0000-00-00 00:00:00


CONVERSIONS: dict[Any, Any] = {
    **conversions,
    datetime: _write,
    FIELD_TYPE.DATETIME: _read,
    FIELD_TYPE.TIMESTAMP: _read,
}

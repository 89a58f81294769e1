"""The file of a scenario's figures: what was measured, on what, and when."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Sheet

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Record:
    """The figures of one scenario."""

    scenario: str
    sheet: Sheet
    machine: Mapping[str, str | int]
    versions: Mapping[str, str]
    #: ISO 8601, UTC.
    date: str

    @property
    def rounds(self) -> int:
        """How often all of it was measured."""
        return max((len(figure.values) for figure in self.sheet.figures), default=0)

    def write(self, folder: Path) -> Path:
        """Write it into a folder, in place of an earlier one; gives the file."""
        data = {
            "scenario": self.scenario,
            "date": self.date,
            "machine": self.machine,
            "versions": self.versions,
            "figures": self.sheet.as_data(),
        }
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.scenario}.json"
        path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n")
        return path

    @classmethod
    def read(cls, path: Path) -> "Record":
        """Read what `write` has written."""
        data = json.loads(path.read_text())
        sheet = Sheet.from_data(data["figures"])
        return cls(data["scenario"], sheet, data["machine"], data["versions"], data["date"])


def today() -> str:
    """The date, for a record."""
    return datetime.now(UTC).date().isoformat()

"""Reads the reports on the audio space that a page or a file is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import ValidationError
from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.questions import Question
from dashboard.refusals import RefusedError
from segue import store
from segue.audio_reports import KEPT, AudioReport
from segue.store import Document

NO_REPORT: Final = (
    "There is no report on the audio space yet. `segue features build DIR` writes one "
    "with each index, and `segue features report` one on the index that is there."
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A report that may be chosen."""

    version: str
    made_at: datetime
    n_tracks: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A report, and the one that it is compared with, where there is another."""

    report: AudioReport
    before: AudioReport | None


async def listed(database: AsyncDatabase[Document]) -> list[Listed]:
    """Return all reports, the newest first."""
    found = database[store.AUDIO_REPORTS].find({}, {"made_at": 1, "n_tracks": 1})
    rows = await found.sort("made_at", DESCENDING).limit(KEPT).to_list()
    return [
        Listed(str(row["_id"]), row["made_at"], row["n_tracks"])
        for row in rows
        if isinstance(row.get("made_at"), datetime)
        and isinstance(row.get("n_tracks"), int)
    ]


async def compared(database: AsyncDatabase[Document], question: Question) -> Compared:
    """Return the report that is asked for, and the one to compare it with.

    Raises
    ------
    RefusedError
        When there is none, or not these, or one is damaged.
    """
    there = await listed(database)
    if not there:
        raise RefusedError(404, "nothing_there", NO_REPORT)
    version = question.get("report") or there[0].version
    before = question.get("before") or _before(version, there)
    report = await _read(database, version)
    return Compared(report, await _read(database, before) if before else None)


def _before(version: str, there: Sequence[Listed]) -> str:
    """Return the version of the report that came before one, "" where none did."""
    versions = [each.version for each in there]
    at = versions.index(version) + 1 if version in versions else len(versions)
    return versions[at] if at < len(versions) else ""


async def _read(database: AsyncDatabase[Document], version: str) -> AudioReport:
    found = await database[store.AUDIO_REPORTS].find_one({"_id": version})
    if found is None:
        raise RefusedError(
            404,
            "no_report",
            f"There is no report “{version[:40]}”, or no longer: choose another.",
        )
    try:
        return AudioReport.model_validate(found)
    except ValidationError:
        raise RefusedError(
            404,
            "damaged_report",
            f"The report “{version[:40]}” is damaged, or of another version of Segue: "
            "`segue features report` writes the newest anew.",
        ) from None

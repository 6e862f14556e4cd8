"""What there is to know about a feature table and its taste space, as numbers.

Everything is about linear in the number of tracks: neighbours are looked for from a
sample, and the report says from how many. The same table and index give the same
report.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict

from features.catalogue_map import CatalogueMap, map_catalogue
from features.drift import Drift, measure_drift
from features.health import (
    Audio,
    BlockHealth,
    Copies,
    FailureGroup,
    check_blocks,
    describe_audio,
    find_copies,
    find_silent,
    group_failures,
)
from features.report_rows import ReportRows, read_report_rows
from features.retrieval import HubReport, Retrieval, measure_hubs, measure_retrieval
from features.spec import FeatureSpec, spec_hash
from features.table import read_failures, read_known, table_folder
from features.verdicts import (
    Verdict,
    judge_blocks,
    judge_copies,
    judge_drift,
    judge_failures,
    judge_hubs,
    judge_retrieval,
    judge_silent,
)
from segue.settings import Settings

Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Report:
    """The state of a catalogue's features.

    Attributes
    ----------
    spec, index_version : str
        What was looked at.
    n_tracks, n_folders : int
        Of the index.
    n_outside : int
        Tracks of the table that are not in the index: their files have gone.
    newest_at : datetime
        When the newest track was analysed.
    verdicts : tuple of Verdict
        What it comes to, one for each of the parts below.
    """

    spec: str
    index_version: str
    n_tracks: int
    n_folders: int
    n_outside: int
    newest_at: datetime
    verdicts: tuple[Verdict, ...]
    retrieval: Retrieval | None
    hubs: HubReport
    blocks: tuple[BlockHealth, ...]
    silent: tuple[tuple[str, str], ...]
    copies: tuple[Copies, ...]
    failures: tuple[FailureGroup, ...]
    drift: Drift | None
    audio: Audio
    catalogue_map: CatalogueMap

    def to_json(self) -> str:
        """Return all but the places on the map, as one line of JSON."""
        numbers = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "catalogue_map"
        }
        return json.dumps(numbers, default=_plain)


def _quiet(_line: str) -> None:
    """Say nothing."""


def create_report(
    settings: Settings, spec: FeatureSpec | None = None, report: Tell = _quiet
) -> Report:
    """Look through the feature table and the current index.

    Parameters
    ----------
    settings : Settings
        Names the home that they lie in.
    spec : FeatureSpec, optional
        Of the table; default is the current one.
    report : callable
        Gets a line for each stage.

    Raises
    ------
    LibraryError
        When the table has no rows, or none of the tracks of the index.
    IndexMissingError
        When no index was built.
    """
    spec = FeatureSpec() if spec is None else spec
    rows = read_report_rows(settings, spec)
    report(f"{len(rows)} tracks in {len(rows.folder_names)} folders")
    retrieval = measure_retrieval(rows)
    report("precision of neighbours: done")
    hubs = measure_hubs(rows)
    report("hubs: done")
    parts = _check(settings, spec, rows)
    report("dimensions, copies, failures, drift: done")
    catalogue_map = map_catalogue(rows)
    report(f"map of {len(catalogue_map.titles)} tracks: done")
    return Report(
        spec=spec_hash(spec),
        index_version=rows.index_version,
        n_tracks=len(rows),
        n_folders=len(rows.folder_names),
        n_outside=rows.n_outside,
        newest_at=_newest_at(rows),
        verdicts=_judge(retrieval, hubs, parts, len(rows)),
        retrieval=retrieval,
        hubs=hubs,
        **parts,
        audio=describe_audio(rows),
        catalogue_map=catalogue_map,
    )


class _Checks(TypedDict):
    blocks: tuple[BlockHealth, ...]
    silent: tuple[tuple[str, str], ...]
    copies: tuple[Copies, ...]
    failures: tuple[FailureGroup, ...]
    drift: Drift | None


def _check(settings: Settings, spec: FeatureSpec, rows: ReportRows) -> _Checks:
    folder = table_folder(settings.home, spec)
    return {
        "blocks": check_blocks(rows.blocks),
        "silent": find_silent(rows),
        "copies": find_copies(rows),
        "failures": group_failures(read_failures(folder), read_known(folder)),
        "drift": measure_drift(rows),
    }


def _judge(
    retrieval: Retrieval | None, hubs: HubReport, checks: _Checks, n_tracks: int
) -> tuple[Verdict, ...]:
    return (
        judge_retrieval(retrieval),
        judge_hubs(hubs),
        judge_drift(checks["drift"]),
        judge_blocks(checks["blocks"], n_tracks),
        judge_failures(checks["failures"], n_tracks),
        judge_copies(checks["copies"]),
        judge_silent(len(checks["silent"])),
    )


def _newest_at(rows: ReportRows) -> datetime:
    newest: datetime = rows.extracted_at.max().astype("datetime64[us]").astype(datetime)
    return newest.replace(tzinfo=UTC)


def _plain(value: Any) -> Any:
    """Return a part of the report as JSON knows it."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)

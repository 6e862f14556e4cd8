"""Tables of a report on the audio space, as columns: for files, and for the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.analytics.audio_figures import hub_classes
from dashboard.analytics.audio_reading import Compared
from dashboard.analytics.names import Named
from dashboard.analytics.tables import Table
from segue.audio_reports import AudioReport, drift_between

Row = tuple[Any, ...]


def hubs(found: Compared) -> Table:
    """Return how many tracks stand in so many lists, by way of ranking."""
    ways = {f"n_{way.way}": way.counts for way in found.report.hubs.ways}
    return {"in_lists": hub_classes(), **ways}


def drift(found: Compared) -> Table:
    """Return how far each block has moved, between reports and in the newest run.

    A block that cannot be compared has no numbers.
    """
    moved = {} if found.before is None else _moved(found.before, found.report)
    newest = dict(found.report.batch.shifts) if found.report.batch else {}
    blocks = found.report.blocks
    rows: list[Row] = [
        (each.name, *moved.get(each.name, (None,) * 3), newest.get(each.name))
        for each in blocks
    ]
    rows.sort(key=lambda row: -(row[2] or 0.0))
    return _columns(("block", "mean", "most", "dimension", "newest_run"), rows)


def dimensions(found: Compared) -> Table:
    """Return each dimension: its values, whether it is dead, what it repeats."""
    twins = {twin.name: twin for twin in found.report.twins.first}
    rows: list[Row] = []
    for block in found.report.blocks:
        dead = set(block.flat)
        for dim, numbers in enumerate(
            zip(block.means, block.deviations, block.zero_shares, strict=True)
        ):
            name = f"{block.name}[{dim}]"
            twin = twins.get(name)
            told = (twin.earlier, twin.r) if twin else ("", None)
            rows.append((name, *numbers, dim in dead, *told))
    names = ("dimension", "mean", "deviation", "zero_share", "is_dead", "repeats", "r")
    return _columns(names, rows)


def failures(found: Compared) -> Table:
    """Return the files that fail, the newest first."""
    names = ("path", "stage", "error_class", "message", "failed_at", "retry")
    rows = [
        tuple(getattr(each, name) for name in names)
        for each in found.report.failures.newest
    ]
    return _columns(names, rows)


def recordings(found: Compared, named: Mapping[str, Named]) -> Table:
    """Return the tracks of the same recordings, group by group."""
    rows = [
        (number, group.n, key, named[key].name, named[key].note)
        for number, group in enumerate(found.report.recordings.largest, start=1)
        for key in group.first
        if key in named
    ]
    return _columns(("group", "n", "track_id", "title", "artist"), rows)


def copies(found: Compared) -> Table:
    """Return the files of the same bytes, group by group."""
    rows = [
        (number, group.n, path)
        for number, group in enumerate(found.report.copies.largest, start=1)
        for path in group.first
    ]
    return _columns(("group", "n", "path"), rows)


def track_ids(found: Compared) -> list[str]:
    """Return the tracks that `recordings` names."""
    return [key for group in found.report.recordings.largest for key in group.first]


def _moved(before: AudioReport, after: AudioReport) -> dict[str, Row]:
    return {
        each.name: (each.mean, each.most, f"{each.name}[{each.dim}]")
        for each in drift_between(before, after)
    }


def _columns(names: Sequence[str], rows: Sequence[Row]) -> Table:
    if not rows:
        return {name: [] for name in names}
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))

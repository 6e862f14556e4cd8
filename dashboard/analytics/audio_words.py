"""What a report on the audio space comes to, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Final

from dash import html

from dashboard.analytics.parts import NONE, share, tile
from dashboard.dates import moment
from segue.audio_reports import (
    HIGH_SKEW,
    LARGE_SHIFT,
    MANY_ORPHANS,
    SIZES,
    SMALL_SHIFT,
    AudioReport,
    BlockDrift,
    Failures,
    Groups,
    Hubness,
    Hubs,
)

MEANINGS: Final[Mapping[str, str]] = {
    "hubs": "Each track of an even sample asks for the ten that are nearest to it; "
    "counted is in how many of these lists each track stands, ten on average. A track "
    "in very many is a hub, one in none an orphan. The skew is that of these counts: "
    f"from {HIGH_SKEW} on hubs are a problem, from {MANY_ORPHANS:.0%} on orphans are "
    "many.",
    "drift": "How far the mean of each dimension lies from that of the other report, "
    "over the deviation of both: over all tracks, and tracks of both count in both. "
    f"From {SMALL_SHIFT} on it is small, from {LARGE_SHIFT} on large. “Newest run” is "
    "the last run of the extraction against the tracks before it (root mean square, "
    "less what chance gives).",
    "dimensions": "A dimension is dead when it does not differ between tracks (its "
    "deviation is rounding of its mean), and repeats an earlier one when their "
    "correlation is beyond 0.999 in either direction. Both tell nothing of a track.",
    "failures": "Files of the library of which no track could be made, as of the last "
    "try of each: they are not recommended. Paths are those below the music folder.",
    "recordings": "Tracks of about the same title, length and sound, as on an album "
    "and on a sampler. Only one of them is in a list.",
    "copies": "Files that are the same to the last bit: each group is one track.",
}
"""What is counted in each part of the page."""
_OTHERWISE: Final = " The two are of different features, so much may have moved."


def about(report: AudioReport) -> str:
    """Return what the report is on, and of what space."""
    space = report.space
    told = f"Report of {moment(report.made_at)} UTC on index {report.version}. "
    if space.n_placed:
        return (
            f"{told}{space.n_placed:,} of its {report.n_tracks:,} tracks were placed "
            f"in the space that was fitted on {moment(space.fitted_at)} UTC to "
            f"{space.n_fitted:,} tracks; it has {space.n_axes} axes."
        )
    return (
        f"{told}Its space was fitted to these tracks on {moment(space.fitted_at)} UTC; "
        f"it has {space.n_axes} axes."
    )


def tiles(report: AudioReport) -> list[html.Div]:
    """Return the figures at the head of the page."""
    ranked = report.hubs.ways[-1] if report.hubs.ways else None
    n_dead = sum(len(block.flat) for block in report.blocks)
    groups = report.recordings
    return [
        tile("Tracks", f"{report.n_tracks:,}", f"{report.n_dims:,} dimensions each"),
        tile(
            "Hub skew",
            NONE if ranked is None else f"{ranked.skew:.2f}",
            f"as tracks are ranked; high from {HIGH_SKEW} on",
        ),
        tile("Dead", f"{n_dead:,}", f"dimensions; only repeating: {report.twins.n:,}"),
        tile("Failures", f"{report.failures.n_files:,}", "files that give no track"),
        tile(
            "Duplicates",
            f"{groups.n_groups:,}",
            f"recordings with {groups.n_members:,} tracks",
        ),
    ]


def hubs(found: Hubs) -> html.P:
    """Return what hubs there are."""
    told = "; ".join(_hubness(way) for way in reversed(found.ways))
    ranked = found.ways[-1] if found.ways else None
    is_good = (
        ranked is not None
        and ranked.skew < HIGH_SKEW
        and ranked.orphan_share < MANY_ORPHANS
    )
    verdict = "Lists spread well." if is_good else "Lists do not spread well."
    return html.P(f"{verdict} {told}.", className="verdict")


def drift(
    report: AudioReport, before: AudioReport | None, moved: Sequence[BlockDrift]
) -> list[html.P]:
    """Return how far the features have moved."""
    return [html.P(_between(report, before, moved), className="verdict"), _run(report)]


def dimensions(report: AudioReport) -> html.P:
    """Return how many dimensions are of no use."""
    n_seen = sum(len(block.means) for block in report.blocks)
    n_dead = sum(len(block.flat) for block in report.blocks)
    n_bad = sum(block.n_nonfinite for block in report.blocks)
    seen = f"{n_seen:,} dimensions"
    if n_seen < report.n_dims:
        seen = f"the first {n_seen:,} of {report.n_dims:,} dimensions"
    return html.P(
        f"Of {seen}: {n_dead:,} dead, {report.twins.n:,} that only repeat an earlier "
        f"one. Values that are no numbers: {n_bad:,}.",
        className="verdict",
    )


def block_rows(report: AudioReport) -> list[tuple[str, ...]]:
    """Return the blocks as rows: dimensions, dead ones, zeros, what is no number."""
    return [
        (
            block.name,
            f"{len(block.means):,}",
            f"{len(block.flat):,}",
            share(_mean(block.zero_shares)),
            f"{block.n_nonfinite:,}",
        )
        for block in report.blocks
    ]


def failures(found: Failures) -> html.P:
    """Return how many files fail."""
    n_retry = sum(reason.n_retry for reason in found.reasons)
    told = (
        f"{_count(found.n_files, 'file')} gave no track; {n_retry:,} of them will be "
        "tried again by the next build."
        if found.n_files
        else "Every file gave a track."
    )
    return html.P(told, className="verdict")


def recordings(groups: Groups) -> html.P:
    """Return how many recordings there are more than once."""
    told = (
        f"{_count(groups.n_groups, 'recording')} more than once, as "
        f"{groups.n_members:,} tracks."
        if groups.n_groups
        else "Each recording is there once."
    )
    return html.P(told, className="verdict")


def copies(groups: Groups) -> html.P:
    """Return how many files there are more than once."""
    told = (
        f"{_count(groups.n_groups, 'track')} with several files, "
        f"{groups.n_members:,} in all."
        if groups.n_groups
        else "Each file is there once."
    )
    return html.P(told, className="verdict")


def sizes(groups: Groups) -> html.P:
    """Return how many groups there are of each size."""
    told = [
        f"{n:,} of {size}{' or more' if size == SIZES[-1] else ''}"
        for size, n in zip(SIZES, groups.sizes, strict=False)
        if n
    ]
    return html.P(f"Groups by size: {', '.join(told)}.")


def oddity(is_dead: bool, repeats: str, r: float | None) -> str:
    """Return what is wrong with a dimension."""
    if is_dead:
        return "dead"
    return f"repeats {repeats}, r = {0.0 if r is None else r:.4f}"


def deviations(value: float | None) -> str:
    """Return a difference in deviations.

    Examples
    --------
    >>> deviations(0.123), deviations(None) == NONE
    ('0.12', True)
    """
    return NONE if value is None else f"{value:.2f}"


def _hubness(way: Hubness) -> str:
    return (
        f"{way.way}: skew {way.skew:.2f}, {way.orphan_share:.1%} of tracks in no list, "
        f"{way.top_share:.1%} of places to the top hundredth of tracks"
    )


def _between(
    report: AudioReport, before: AudioReport | None, moved: Sequence[BlockDrift]
) -> str:
    if before is None:
        return "There is no earlier report to compare this one with."
    when = f"the report of {moment(before.made_at)} UTC"
    if not moved:
        return f"No block of features is in {when} and in this one."
    others = "" if before.spec == report.spec else _OTHERWISE
    far = [each.name for each in moved if each.most >= LARGE_SHIFT]
    if far:
        return f"Far from {when}: {', '.join(far)}.{others}"
    first = moved[0]
    how = "little" if first.most >= SMALL_SHIFT else "hardly"
    return (
        f"The features have {how} moved since {when}: by {first.most:.2f} deviations "
        f"at most, in {first.name}.{others}"
    )


def _run(report: AudioReport) -> html.P:
    batch = report.batch
    if batch is None:
        return html.P("There are no two runs of the extraction to compare.")
    name, shift = batch.shifts[0] if batch.shifts else ("nothing", 0.0)
    verdict = "other music, or analysed otherwise" if shift >= LARGE_SHIFT else "alike"
    return html.P(
        f"The newest run, since {moment(batch.since)} UTC, gave {batch.n_newest:,} of "
        f"the tracks; against the {batch.n_rest:,} before, {name} differs most, by "
        f"{shift:.2f} deviations: {verdict}."
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"

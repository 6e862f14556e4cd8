"""From the numbers of a report to one plain sentence each: good, attention, unknown."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from features.drift import MIN_TRACKS, Drift
from features.health import BlockHealth, Copies, FailureGroup
from features.retrieval import RANKED, Estimate, HubReport, Retrieval
from segue.audio_reports import HIGH_SKEW, LARGE_SHIFT, MANY_ORPHANS

_LEAST_SHARE: Final = 0.001
_FEWEST_QUERIES: Final = 20
_FEWEST_FOR_HUBS: Final = 50


class Status(StrEnum):
    """How a part of the report stands; `UNKNOWN` where there is too little to tell."""

    GOOD = "good"
    ATTENTION = "attention"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """One topic in a sentence."""

    topic: str
    status: Status
    sentence: str


def judge_retrieval(retrieval: Retrieval | None) -> Verdict:
    """Good when neighbours beat both chance and raw MFCC, beyond the error."""
    topic = "Neighbours"
    if retrieval is None or retrieval.n_queries < _FEWEST_QUERIES:
        n = 0 if retrieval is None else retrieval.n_queries
        return Verdict(
            topic,
            Status.UNKNOWN,
            f"{_count(n, 'track')} with another recording in the same folder; "
            f"precision needs {_FEWEST_QUERIES}.",
        )
    ranked = next(way for way in retrieval.ways if way.way == RANKED)
    is_good = ranked.at_1.low > retrieval.chance_at_1 and retrieval.gain_at_5.low > 0
    return Verdict(
        topic,
        _status(is_good),
        f"The nearest track is of the same folder in {ranked.at_1.mean:.0%} of cases "
        f"({percent(retrieval.chance_at_1)} by chance); {_gain(retrieval.gain_at_5)}.",
    )


def judge_hubs(hubs: HubReport) -> Verdict:
    """Good when lists spread over the catalogue."""
    if hubs.n_tracks < _FEWEST_FOR_HUBS:
        return Verdict(
            "Hubs",
            Status.UNKNOWN,
            f"{_count(hubs.n_tracks, 'track')}; hubs need {_FEWEST_FOR_HUBS}.",
        )
    ranked = next(way for way in hubs.ways if way.way == RANKED)
    is_good = ranked.skew <= HIGH_SKEW and ranked.orphan_share <= MANY_ORPHANS
    largest = ranked.hubs[0].n_lists / hubs.n_tracks
    orphans = (
        f"{ranked.orphan_share:.1%} of tracks are in nobody's first {hubs.k}"
        if ranked.orphan_share > 0
        else f"Every track is in somebody's first {hubs.k}"
    )
    return Verdict(
        "Hubs",
        _status(is_good),
        f"{orphans}; the largest hub is in {largest:.1%} of lists (skew "
        f"{ranked.skew:.2f}, high above {HIGH_SKEW}).",
    )


def judge_blocks(blocks: tuple[BlockHealth, ...], n_tracks: int) -> Verdict:
    """Good when every dimension differs and every value is a number."""
    n_dims = sum(block.n_dims for block in blocks)
    n_flat = sum(block.n_flat for block in blocks)
    n_nonfinite = sum(block.n_nonfinite for block in blocks)
    if n_tracks == 1 and not n_nonfinite:
        sentence = "One track alone cannot tell which dimensions are flat."
        return Verdict("Dimensions", Status.UNKNOWN, sentence)
    if not (n_flat or n_nonfinite):
        sentence = (
            f"All {n_dims} dimensions differ between tracks; all values are numbers."
        )
    else:
        sentence = (
            f"{n_flat} of {n_dims} dimensions are flat; "
            f"{_count(n_nonfinite, 'value')} no number."
        )
    return Verdict("Dimensions", _status(not (n_flat or n_nonfinite)), sentence)


def judge_silent(n_silent: int) -> Verdict:
    """Good when there is something to hear in every track."""
    sentence = (
        f"{_count(n_silent, 'track')} of silence, but for moments at most; it may be "
        "recommended all the same."
        if n_silent
        else "There is something to hear in every track."
    )
    return Verdict("Silence", _status(not n_silent), sentence)


def judge_copies(copies: tuple[Copies, ...]) -> Verdict:
    """Good when each recording is there once."""
    n_tracks = sum(len(each.tracks) for each in copies)
    sentence = (
        f"{_count(len(copies), 'recording')} more than once ({n_tracks:,} tracks: same "
        "title, length and sound)."
        if copies
        else "Each recording is there once."
    )
    return Verdict("Copies", _status(not copies), sentence)


def judge_failures(failures: tuple[FailureGroup, ...], n_tracks: int) -> Verdict:
    """Good when every file became a track."""
    n_failed = sum(group.n_files for group in failures)
    share = n_failed / (n_failed + n_tracks)
    sentence = (
        f"{_count(n_failed, 'file')} ({share:.1%}) gave no track and "
        "will not be recommended."
        if n_failed
        else "Every file gave a track."
    )
    return Verdict("Failures", _status(not n_failed), sentence)


def judge_drift(drift: Drift | None) -> Verdict:
    """Good when the newest batch looks like the rest."""
    if drift is None:
        return Verdict(
            "Drift",
            Status.UNKNOWN,
            f"No two batches of {MIN_TRACKS} tracks, an hour apart, to compare.",
        )
    name, shift = drift.shifts[0]
    folders = _count(drift.n_folders, "folder")
    batch = f"the newest batch ({drift.n_newest:,} tracks from {folders})"
    if shift < LARGE_SHIFT:
        sentence = f"No block of {batch} moved by more than {shift:.2f} deviations."
    else:
        sentence = (
            f"{name} of {batch} moved by {shift:.2f} deviations: other music, or "
            "analysed otherwise. Analyse an old file again and compare."
        )
    return Verdict("Drift", _status(shift < LARGE_SHIFT), sentence)


def percent(share: float) -> str:
    """Return a share in words that no rounding makes nothing.

    Examples
    --------
    >>> percent(0.079), percent(0.0001), percent(0.0)
    ('7.9%', 'under 0.1%', '0.0%')
    """
    return "under 0.1%" if 0 < share < _LEAST_SHARE else f"{share:.1%}"


def _gain(gain: Estimate) -> str:
    points = 100 * gain.mean
    said = (
        f"of the first five, {abs(points):.1f} points "
        f"{'more' if points >= 0 else 'fewer'} than by raw MFCC"
    )
    return f"{said}, which may be chance" if gain.low <= 0 <= gain.high else said


def _status(is_good: bool) -> Status:
    return Status.GOOD if is_good else Status.ATTENTION


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"

"""One track: which share still listens at each position, and where it is skipped."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from dash import html

from dashboard import ids
from dashboard.analytics import sums
from dashboard.analytics.answers import Answers, nothing
from dashboard.analytics.figures import retention_figure, skips_figure
from dashboard.analytics.names import Named
from dashboard.analytics.parts import as_table, graph, share, table
from dashboard.analytics.questions import Question
from dashboard.analytics.spans import ENDS
from dashboard.analytics.tables import Table
from dashboard.analytics.times import TimeRange
from segue.activity import N_SHARES, SHARES, Kind

_ENDED, _SKIPPED = SHARES
_SHOWN_CHARS: Final = 40
_HIDDEN: Final = {ids.CHOSEN_TRACK: {"hidden": True}}


def body() -> html.Section:
    """Return the place of a chosen track."""
    return html.Section(
        [
            html.H2(id=ids.CHOSEN_TITLE),
            html.H3("Still listening, by position"),
            graph(ids.RETENTION_FIGURE, retention_figure([], []), "220px"),
            html.H3("Skips, by position"),
            graph(ids.SKIPS_FIGURE, skips_figure([], []), "180px"),
            as_table(ids.POSITIONS_TABLE, "Ends by position"),
        ],
        id=ids.CHOSEN_TRACK,
        className="panel",
        hidden=True,
    )


async def read(
    answers: Answers, question: Question, time: TimeRange
) -> dict[str, dict[str, Any]]:
    """Return what is shown of the track that the question is about, if it is of one."""
    key = question.get(Kind.TRACK)
    if not key:
        return _HIDDEN
    ended, skipped = await _positions(answers, key, time)
    named = (await answers.names.of(Kind.TRACK, [key]))[key]
    left, labels = sums.shares_left(ended), positions(named.duration_s)
    return {
        ids.CHOSEN_TRACK: {"hidden": False},
        ids.CHOSEN_TITLE: {"children": _title(named, int(ended.sum()))},
        ids.RETENTION_FIGURE: {"figure": retention_figure(left, labels)},
        ids.SKIPS_FIGURE: {"figure": skips_figure(skipped.tolist(), labels)},
        ids.POSITIONS_TABLE: {"children": _table(labels, left, ended, skipped)},
    }


async def file(answers: Answers, question: Question, now: datetime) -> Table:
    """Return where a track is left, as a table for a file."""
    key = question.get(Kind.TRACK)
    if not key:
        raise nothing("Say of which track: track is missing.")
    time = await answers.time_of(question, now)
    ended, skipped = await _positions(answers, key, time)
    if not ended.any():
        raise nothing(
            f"No play of the track {key[:_SHOWN_CHARS]} ended at a known position in "
            "this time."
        )
    return {
        "from_share": [place / N_SHARES for place in range(N_SHARES)],
        "still_listening": sums.shares_left(ended),
        "n_ended": ended.tolist(),
        "n_skipped": skipped.tolist(),
    }


def positions(duration_s: float | None) -> list[str]:
    """Return where each twentieth of a track begins: a time, or else a share.

    Examples
    --------
    >>> positions(200)[:3], positions(None)[:3]
    (['0:00', '0:10', '0:20'], ['0 %', '5 %', '10 %'])
    """
    if not duration_s:
        return [f"{100 * place // N_SHARES} %" for place in range(N_SHARES)]
    seconds = [duration_s * place / N_SHARES for place in range(N_SHARES)]
    # of a short track two would be the same second
    is_fine = duration_s >= N_SHARES
    return [_clock(at, is_fine) for at in seconds]


def _clock(seconds: float, is_fine: bool) -> str:
    if is_fine:
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
    return f"{seconds:.2f} s"


async def _positions(
    answers: Answers, key: str, time: TimeRange
) -> tuple[sums.Counts, sums.Counts]:
    read = await answers.spans.read(time, Kind.TRACK, ENDS, key)
    return sums.by_position(read, _ENDED), sums.by_position(read, _SKIPPED)


def _title(named: Named, n_ends: int) -> list[Any]:
    href = f"/track/{quote(named.key, safe='')}"
    n = f"{n_ends:,} ends" if n_ends else "no end"
    words = f" · {named.note} · {n} of known position in this time"
    return [
        html.A(named.name, href=href, className="way"),
        html.Span(words, className="facts"),
    ]


def _table(
    labels: Sequence[str],
    left: Sequence[float],
    ended: sums.Counts,
    skipped: sums.Counts,
) -> html.Table | str:
    if not left:
        return ""
    rows = [
        (label, share(there), f"{int(n):,}", f"{int(n_skips):,}")
        for label, there, n, n_skips in zip(labels, left, ended, skipped, strict=True)
    ]
    heads = ("From", "Still listening", "Ended there", "Skipped there")
    return table("By twentieths of the track", heads, rows)

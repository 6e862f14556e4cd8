"""Panels of the page of the stream: view records in, components out."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dash import html

from dashboard.marks import marks
from dashboard.records import Ledger, QueryHealth
from segue.clock import rfc3339

_NONE: Final = "–"  # noqa: RUF001


def stream_table(health: Sequence[QueryHealth]) -> html.Table | html.P:
    """Return the state of each streaming query."""
    if not health:
        return html.P("No stream has reported yet: start it with “segue stream”.")
    heads = ("Query", "Batch", "Took", "Rows/s", "State rows", "Watermark", "Reported")
    return _table("Last micro-batch of each query", heads, map(_query_row, health))


def ledger(book: Ledger, is_busy: bool) -> html.Div:
    """Return where every message went, and whether the sum adds up.

    Parameters
    ----------
    is_busy : bool
        The stream has just run: its counts may be a moment apart.
    """
    parts = [
        ("accepted", book.n_accepted, "good"),
        ("duplicate", book.n_duplicate, "cool"),
        ("late", book.n_late, "warn"),
        ("unmatched", book.n_unmatched, "muted"),
        ("forgotten", book.n_forgotten, "muted"),
        ("over limit", book.n_over_limit, "warn"),
        ("rejected", book.n_rejected, "bad"),
        ("in flight", max(0, book.n_in_flight), "muted"),
    ]
    return html.Div(
        [
            _verdict(book, is_busy),
            html.Div(
                [_segment(n, tone) for _, n, tone in parts if n],
                className="ledger-bar",
                **marks(aria_hidden="true"),
            ),
            html.Dl([_ledger_part(*part) for part in parts], className="ledger-parts"),
            _reasons(book.rejected),
        ]
    )


def _query_row(query: QueryHealth) -> Sequence[Any]:
    reported = html.Time(
        dateTime=rfc3339(query.updated_at),
        className="tone-warn" if query.is_stale else "",
        **marks(data_since=rfc3339(query.updated_at)),
    )
    return (
        query.name,
        f"{query.batch_id:,}",
        f"{query.total_ms:,.0f} ms",
        f"{query.rows_per_s:,.0f}",
        f"{query.state_rows:,}",
        f"{_seconds(query.watermark_lag_s)} behind",
        [reported, " · stale"] if query.is_stale else reported,
    )


def _verdict(book: Ledger, is_busy: bool) -> html.P:
    mark, tone, text = _judgement(book.n_in_flight, is_busy)
    read = f"{book.n_read:,} read: {text}"
    return html.P(
        [html.Span(mark, className=f"mark tone-{tone}"), read], className="verdict"
    )


def _judgement(n_in_flight: int, is_busy: bool) -> tuple[str, str, str]:
    if n_in_flight == 0:
        return "✓", "good", "all accounted for"
    if n_in_flight > 0:
        return "…", "warn", f"{n_in_flight:,} on their way"
    if is_busy:  # another query counts the reads, a moment later
        return "…", "warn", f"{-n_in_flight:,} more are just being counted"
    return "✗", "bad", f"{-n_in_flight:,} too many accounted for"


def _segment(count: int, tone: str) -> html.Span:
    return html.Span(className=f"fill-{tone}", style={"flexGrow": count})


def _ledger_part(name: str, count: int, tone: str) -> html.Div:
    return html.Div(
        [
            html.Dt([html.Span(className=f"dot fill-{tone}"), name]),
            html.Dd(f"{count:,}"),
        ]
    )


def _reasons(rejected: Mapping[str, int]) -> html.P:
    said = ", ".join(
        f"{reason.replace('_', ' ')} {count:,}" for reason, count in rejected.items()
    )
    return html.P(f"Rejected for: {said}" if said else "Nothing was rejected.")


def _seconds(value: float | None) -> str:
    return _NONE if value is None else f"{value:,.1f} s"


def _table(caption: str, heads: Sequence[str], rows: Any) -> html.Table:
    return html.Table(
        [
            html.Caption(caption),
            html.Thead(html.Tr([html.Th(head, scope="col") for head in heads])),
            html.Tbody([html.Tr([html.Td(cell) for cell in row]) for row in rows]),
        ]
    )

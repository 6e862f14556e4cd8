"""What the page of the stream shows of this moment: records in, components out."""

from typing import Any, Final

from dash import html

from dashboard.analytics.freshness import (
    ENOUGH_LISTS,
    FRESH_S,
    MOST_BUSY_S,
    MOST_DUE_S,
    MOST_WAITING,
    QUERY,
    State,
    judged,
    span,
)
from dashboard.analytics.parts import NONE, table
from dashboard.stream_queries import STALE_AFTER_S
from segue.delays import RELATIVE_ERROR

_OF_LATE: Final = "of the last 5 minutes"


def fresh(state: State) -> list[Any]:
    """Return the line that says whether the list is fresh, in colour and in words."""
    verdict = judged(state)
    yes, no = ("✓", "good", "Yes"), ("✗", "bad", "No")
    mark, tone, said = yes if verdict.is_fresh else no
    line = html.P(
        [
            html.Span(mark, className=f"mark tone-{tone}"),
            html.Span(
                [
                    "Is the list fresh? ",
                    # what follows counts seconds, which nobody wants to hear
                    html.B(said, className=f"tone-{tone}", role="status"),
                    f": {verdict.reason}",
                ]
            ),
        ],
        className=f"verdict is-{tone}",
    )
    more = [html.P(state.uncounted, className="note")] if state.uncounted else []
    return [line, *more]


def tiles(state: State) -> list[html.Div]:
    """Return the figures at the head of the page."""
    return [
        *(_delay(state, name, share) for name, share in _SHARES.items()),
        _waiting(state),
        _stream(state),
    ]


def waiting_table(state: State) -> html.Table | html.P:
    """Return what waits in Kafka, by partition."""
    rows = [
        (query.name, each.topic, str(each.partition), f"{each.n:,}")
        for query in state.queries
        for each in query.waiting
    ]
    if not rows:
        return html.P("No query has said yet what waits in Kafka.")
    heads = ("Query", "Topic", "Partition", "Messages")
    return table("Messages in Kafka that no micro-batch has taken", heads, rows)


def thresholds() -> html.P:
    """Return what the figures are held against."""
    return html.P(
        f"The delay of a list is from its newest event, by the clock of who played, to "
        f"when the list was made, within {100 * RELATIVE_ERROR:.1f} %. The list is "
        f"fresh while query {QUERY} has reported in the last {STALE_AFTER_S:.0f} s, is "
        f"at no micro-batch for more than {MOST_BUSY_S:.0f} s, leaves no more than "
        f"{MOST_WAITING:,} messages in Kafka and no list due for more than "
        f"{MOST_DUE_S:.0f} s, and while p95 {_OF_LATE} (of fewer than {ENOUGH_LISTS} "
        f"lists the median) is at most {FRESH_S:.0f} s.",
        className="facts",
    )


_SHARES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def _delay(state: State, name: str, share: float) -> html.Div:
    delay_s = state.percentile(share)
    value = NONE if delay_s is None else f"{delay_s:,.2f} s"
    if delay_s is None:
        return _tile(f"Event to list, {name}", value, f"no list {_OF_LATE}", "muted")
    lists = f"{state.n_lists:,} {'list' if state.n_lists == 1 else 'lists'}"
    word, tone = ("slow", "warn") if delay_s > FRESH_S else ("fresh", "good")
    note = f"{word}: {lists} {_OF_LATE}"
    return _tile(f"Event to list, {name}", value, note, tone)


def _waiting(state: State) -> html.Div:
    query = state.query(QUERY)
    n = 0 if query is None else query.n_waiting
    word, tone = ("many", "bad") if n > MOST_WAITING else ("few", "good")
    if n == 0:
        word = "none"
    due = f"{state.n_due:,} lists to follow" if state.n_due else "no list to follow"
    return _tile("Messages waiting", f"{n:,}", f"{word} · {due}", tone)


def _stream(state: State) -> html.Div:
    quiet = [
        f"{each.name} reported {span(state.ages_s[each.name])} ago"
        for each in state.queries
        if each.is_stale
    ]
    if not state.queries:
        return _tile("Stream", "not started", "no query", "muted")
    value, tone = ("quiet", "warn") if quiet else ("live", "good")
    note = ", ".join(quiet) or f"{len(state.queries)} queries"
    return _tile("Stream", value, note, tone)


def _tile(name: str, value: str, note: str, tone: str) -> html.Div:
    return html.Div(
        [
            html.P(name, className="tile-name"),
            html.P(value, className=f"tile-value tone-{tone}"),
            html.P(note, className="tile-note"),
        ],
        className="tile",
    )

"""The figures of the page of the stream as tables, and as files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from dash import html

from dashboard.analytics.parts import NONE, table
from dashboard.analytics.stream_columns import COLUMNS, COUNTS, RATES
from dashboard.analytics.stream_history import SHARES, Column, History
from dashboard.analytics.tables import Table
from segue.errors import Reason

_SHOWN_STEPS: Final = 30
_MB: Final = 1e-6


def delays_table(history: History) -> html.Table:
    """Return the delays by step."""
    columns: list[Sequence[Any]] = [history.n_lists, *history.delays_s.values()]
    heads = ("Lists", *(f"{name}, s" for name in SHARES))
    return _table(history, "Event to list", heads, columns, ".2f")


def rates_table(history: History) -> html.Table:
    """Return what came and what could be taken, by step."""
    words = ("came/s", "taken/s")
    heads = [f"{query}: {word}" for query in history.queries for word in words]
    columns = [told[name] for told in history.queries.values() for name in RATES]
    return _table(history, "Messages a second", heads, columns, ".1f")


def phases_table(history: History, query: str) -> html.Table:
    """Return the mean time of a query's micro-batches by phase and step."""
    phases = history.phases_ms.get(query, {})
    caption = f"Mean milliseconds of a micro-batch of {query}"
    return _table(history, caption, [*phases], [*phases.values()], ".0f")


def state_table(history: History, query: str) -> html.Table:
    """Return a query's state by step."""
    columns = history.queries.get(query, {})
    n_bytes = columns.get("state_bytes", [])
    in_mb: Column = [None if each is None else each * _MB for each in n_bytes]
    return _table(
        history,
        f"State of {query}",
        ("Rows", "Memory, MB"),
        [columns.get("state_rows", []), in_mb],
        ".1f",
    )


def lag_table(history: History, query: str) -> html.Table:
    """Return what waits for a query, and its watermark, by step."""
    columns = history.queries.get(query, {})
    names = ("n_waiting", "watermark_lag_s")
    return _table(
        history,
        f"What waits for {query}",
        ("Messages, at most", "Watermark behind, s"),
        [columns.get(name, []) for name in names],
        ".0f",
    )


def messages_table(history: History) -> html.Table:
    """Return what became of messages, by step."""
    reasons = [reason.replace("_", " ") for reason in history.rejected]
    return _table(
        history,
        "Messages by when they were counted",
        ("Read", "Late", "Known before", *reasons),
        [*(history.counts[name] for name in COUNTS), *history.rejected.values()],
        ".0f",
    )


def delays_file(history: History) -> Table:
    """Return the delays by step as a table for a file."""
    return {
        "start": history.steps.starts,
        "n_lists": history.n_lists,
        **{f"{name}_s": column for name, column in history.delays_s.items()},
    }


def queries_file(history: History) -> Table:
    """Return what each query did by step: a row for each of both."""
    starts, queries = history.steps.starts, history.queries
    phases = sorted({name for each in history.phases_ms.values() for name in each})
    unknown: Column = [None] * len(starts)
    return {
        "start": starts * len(queries),
        "query": [name for name in queries for _ in starts],
        **{
            column: [value for told in queries.values() for value in told[column]]
            for column in COLUMNS
        },
        **{
            f"{phase}_ms": [
                value
                for name in queries
                for value in history.phases_ms[name].get(phase, unknown)
            ]
            for phase in phases
        },
    }


def messages_file(history: History) -> Table:
    """Return what became of messages by step as a table for a file."""
    starts = history.steps.starts
    none = [0] * len(starts)
    rejected = {f"rejected_{each}": none for each in Reason}
    rejected |= {f"rejected_{name}": n for name, n in history.rejected.items()}
    return {"start": starts, **history.counts, **rejected}


FILES: Final[Mapping[str, Callable[[History], Table]]] = {
    "delays": delays_file,
    "queries": queries_file,
    "messages": messages_file,
}
"""What makes a table for a file of the history, by its name."""


def _table(
    history: History,
    caption: str,
    heads: Iterable[str],
    columns: Sequence[Sequence[Any]],
    form: str,
) -> html.Table:
    """Return the newest steps of some columns, those of which something is known."""
    steps = zip(history.steps.starts, *columns, strict=False)
    told = ((at, values) for at, *values in reversed([*steps]) if _says(values))
    rows = [
        (f"{at:%Y-%m-%d %H:%M}", *(_cell(value, form) for value in values))
        for at, values in islice(told, _SHOWN_STEPS)
    ]
    shown = f"{caption}, the newest {_SHOWN_STEPS} points"
    return table(shown, ("From, UTC", *heads), rows)


def _says(values: Sequence[Any]) -> bool:
    """Whether something was: steps in which nothing was push no other away."""
    return any(values)


def _cell(value: float | None, form: str) -> str:
    if value is None:
        return NONE
    return f"{value:,}" if isinstance(value, int) else f"{value:,{form}}"

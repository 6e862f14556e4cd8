"""The stream's minutes over time, against SQL over what they were made of."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import plotly.graph_objects as go
import pytest

from dashboard.analytics import stream_figures as figures
from dashboard.analytics import stream_tables as tables
from dashboard.analytics.stream_columns import joined, part_of
from dashboard.analytics.stream_history import (
    EMPTY,
    History,
    Steps,
    history_in,
    steps_of,
)
from dashboard.analytics.times import Wish
from dashboard.refusals import RefusedError
from segue.clock import rfc3339
from segue.delays import RELATIVE_ERROR, slots_of
from segue.store import Document
from tests.dashboard.analytics.components import cells
from tests.sql import rows_of

NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHARES = (0.5, 0.95, 0.99)


def _lists(rng: np.random.Generator, n: int, length: timedelta) -> pd.DataFrame:
    ago_s = rng.uniform(0, length.total_seconds(), n)
    made_at = [NOW - timedelta(seconds=float(each)) for each in ago_s]
    return pd.DataFrame({"made_at": made_at, "delay_s": rng.lognormal(-0.3, 1.0, n)})


def _delays(lists: pd.DataFrame) -> list[Document]:
    """Return `list_delays` as the stream writes them."""
    slots = slots_of(
        (row.made_at - timedelta(seconds=row.delay_s), row.made_at)
        for row in lists.itertuples()
    )
    found: dict[datetime, dict[str, int]] = {}
    for (start, number), n in slots.items():
        found.setdefault(start, {})[str(number)] = n
    return [
        {"_id": rfc3339(start), "start": start, "n": n} for start, n in found.items()
    ]


def _history(steps: Steps, delays: list[Document], minutes: list[Document]) -> History:
    return history_in(steps, part_of(delays, minutes))


def _minute(query: str, start: datetime, **more: Any) -> Document:
    return {"_id": f"{query}|{start}", "query": query, "start": start, **more}


@pytest.mark.parametrize("hours", [1, 6, 24])
def test_delays_by_step_are_those_of_sql(hours: int, rng: np.random.Generator) -> None:
    lists = _lists(rng, 5_000, 25 * HOUR)
    steps = steps_of(Wish(NOW - hours * HOUR, NOW), NOW)
    history = _history(steps, _within(_delays(lists), history_steps=steps), [])
    minutes = steps.minutes
    rows = rows_of(
        f"SELECT time_bucket(INTERVAL {minutes} MINUTE, made_at) AS start, count(*), "
        "quantile_disc(delay_s, [0.5, 0.95, 0.99]) FROM lists GROUP BY start",
        lists=lists,
    )
    wanted = {start.astimezone(UTC): (n, shares) for start, n, shares in rows}
    file = tables.delays_file(history)
    assert len(file["start"]) >= 60
    for place, start in enumerate(file["start"]):
        n, shares = wanted.get(start, (0, [None] * 3))
        assert file["n_lists"][place] == n
        for name, share in zip(("p50_s", "p95_s", "p99_s"), shares, strict=True):
            near = pytest.approx(share, rel=RELATIVE_ERROR + 1e-9) if n else None
            assert file[name][place] == near
    assert sum(file["n_lists"]) > 100


def _within(documents: list[Document], history_steps: Any) -> list[Document]:
    first, end = history_steps.start, history_steps.end
    return [each for each in documents if first <= each["start"] < end]


@pytest.mark.parametrize("hours", [1, 24])
def test_queries_by_step_are_those_of_sql(hours: int, rng: np.random.Generator) -> None:
    steps = steps_of(Wish(NOW - hours * HOUR, NOW), NOW)
    n = (steps.end - steps.start) // timedelta(minutes=1)
    starts = [steps.start + timedelta(minutes=k) for k in range(n) if k % 7]
    told = pd.DataFrame(
        {
            "start": starts,
            "n_rows": rng.integers(0, 500, len(starts)),
            "n_batches": rng.integers(1, 60, len(starts)),
            "input_rows_per_s": rng.uniform(0, 9, len(starts)),
            "state_rows": rng.integers(0, 900, len(starts)),
            "n_waiting": rng.integers(0, 90, len(starts)),
            "add_ms": rng.uniform(1, 900, len(starts)),
            "n_late": rng.integers(0, 5, len(starts)),
        }
    )
    documents = [
        _minute(
            *("taste", row.start.to_pydatetime()),
            n_rows=row.n_rows,
            n_batches=row.n_batches,
            input_rows_per_s=row.input_rows_per_s,
            state_rows=row.state_rows,
            n_waiting=row.n_waiting,
            duration_ms={"addBatch": row.add_ms, "triggerExecution": 1000.0},
        )
        for row in told.itertuples()
    ]
    documents += [
        _minute(
            *("messages", row.start.to_pydatetime()),
            n_read=10,
            n_late=row.n_late,
            rejected={"not_json": row.n_late},
        )
        for row in told.itertuples()
    ]
    history = _history(steps, [], rng.permutation(np.array(documents)).tolist())
    rows = rows_of(
        f"SELECT time_bucket(INTERVAL {steps.minutes} MINUTE, start) AS step, "
        "sum(n_rows), avg(input_rows_per_s), arg_max(state_rows, start), "
        "max(n_waiting), sum(n_batches * add_ms) / sum(n_batches), sum(n_late) "
        "FROM told GROUP BY step",
        told=told,
    )
    wanted = {step.astimezone(UTC): values for step, *values in rows}
    taste = history.queries["taste"]
    found = zip(
        *(taste[name] for name in ("n_rows", "input_rows_per_s", "state_rows")),
        *(taste["n_waiting"], history.phases_ms["taste"]["addBatch"]),
        *(history.counts["n_late"], history.rejected["not_json"]),
        strict=True,
    )
    for start, values in zip(steps.starts, found, strict=True):
        sql = wanted.get(start)
        if sql is None:
            assert values == (None,) * 5 + (0, 0)
        else:
            assert values == pytest.approx((*sql, sql[-1]))
    assert "triggerExecution" not in history.phases_ms["taste"]


def test_a_time_is_shown_by_minutes_or_by_tens() -> None:
    hour = steps_of(Wish(NOW - HOUR, NOW), NOW)
    assert (hour.minutes, len(hour.starts)) == (1, 61)
    day = steps_of(Wish(NOW - 24 * HOUR, NOW), NOW)
    assert (day.minutes, day.start.minute % 10) == (10, 0)
    assert day.end > NOW
    assert "a point each 10 minutes." in day.words
    assert hour.words.startswith("From 3 May 2026, 21:10 to 3 May 2026, 22:11 UTC, ")
    # what is older is not kept
    old = steps_of(Wish(None, NOW), NOW)
    assert old.start == datetime(2026, 5, 1, 22, 10, tzinfo=UTC)
    assert len(old.starts) == 289
    with pytest.raises(RefusedError, match="kept for two days"):
        steps_of(Wish(NOW - 90 * HOUR, NOW - 60 * HOUR), NOW)


DRAWN: list[Callable[[History], Any]] = [
    figures.delays_figure,
    figures.rates_figure,
    figures.messages_figure,
    lambda history: figures.phases_figure(history, "taste"),
    lambda history: figures.state_figure(history, "taste"),
    lambda history: figures.lag_figure(history, "taste"),
]


def _some() -> History:
    steps = steps_of(Wish(NOW - HOUR, NOW), NOW)
    start = steps.starts[5]
    told = _minute(
        *("taste", start),
        duration_ms={"addBatch": 300.0, "walCommit": 40.0},
        n_batches=2,
        state_rows=12,
        state_bytes=3_000_000,
        n_waiting=4,
        watermark_lag_s=1500.0,
        input_rows_per_s=2.0,
        processed_rows_per_s=None,
    )
    counts = _minute(
        "messages", start, n_read=9, n_late=2, n_known=1, rejected={"x": 3}
    )
    delays = {"start": start, "n": {"50": 4}}
    # what is damaged is passed over
    return _history(
        steps, [delays, {"start": start}], [told, counts, _minute("b", start)]
    )


@pytest.mark.parametrize("draw", DRAWN)
def test_figures_are_such_as_plotly_takes(draw: Callable[[History], Any]) -> None:
    made = go.Figure(draw(_some()))
    there = [value for trace in made.data for value in trace.y if value is not None]
    assert there
    assert all(math.isfinite(value) for value in there)
    for trace in go.Figure(draw(EMPTY)).data:
        assert not trace.y


def test_a_point_that_stands_alone_is_seen() -> None:
    p50 = go.Figure(figures.delays_figure(_some())).data[0]
    assert p50.mode == "lines+markers"
    reasons = [bar.name for bar in go.Figure(figures.messages_figure(_some())).data]
    assert reasons == ["late", "known before", "rejected: x"]
    phases = go.Figure(figures.phases_figure(_some(), "taste")).data
    assert [(bar.name, bar.y[5]) for bar in phases] == [
        ("addBatch", 300.0),
        ("walCommit", 40.0),
    ]


def test_files_have_a_row_a_step_and_query() -> None:
    history = _some()
    file = tables.queries_file(history)
    assert {len(column) for column in file.values()} == {2 * 61}
    assert file["addBatch_ms"][61 + 5] == 300.0
    assert file["query"][61] == "taste"
    messages = tables.messages_file(history)
    assert (messages["n_late"][5], messages["rejected_x"][5]) == (2, 3)
    assert {len(column) for column in messages.values()} == {61}


DAMAGED: list[Document] = [
    {"query": "taste"},
    {"query": "taste", "start": "noon"},
    {"start": NOW},
    {"query": 7, "start": NOW},
    {"query": "taste", "start": NOW, "n_rows": "many"},
    {"query": "taste", "start": NOW, "n_batches": None, "duration_ms": {"addBatch": 1}},
    {"query": "taste", "start": NOW, "state_rows": [1]},
    {"query": "taste", "start": NOW, "duration_ms": 3},
    {"query": "taste", "start": NOW, "duration_ms": {"addBatch": "long"}},
    {"query": "messages", "start": NOW, "n_read": math.nan},
    {"query": "messages", "start": NOW, "n_late": None},
    {"query": "messages", "start": NOW, "rejected": ["x"]},
    {"query": "messages", "start": NOW, "rejected": {"x": math.inf}},
]


@pytest.mark.parametrize("damaged", DAMAGED)
def test_a_damaged_minute_is_passed_over(damaged: Document) -> None:
    steps = steps_of(Wish(NOW - HOUR, NOW), NOW)
    some = [_minute("taste", NOW, n_rows=4), _minute("messages", NOW, n_read=3)]
    assert _history(steps, [], [damaged, *some]) == _history(steps, [], some)


@pytest.mark.parametrize(
    "damaged",
    [
        {"n": {"50": 2}},
        {"start": None, "n": {"50": 2}},
        {"start": NOW, "n": 3},
        {"start": NOW, "n": {"fast": 2}},
        {"start": NOW, "n": {"50": "two"}},
        {"start": NOW, "n": {"50": -2}},
        {"start": NOW, "n": {"999999": 2}},
    ],
)
def test_damaged_delays_are_passed_over(damaged: Document) -> None:
    steps = steps_of(Wish(NOW - HOUR, NOW), NOW)
    some: list[Document] = [{"start": NOW, "n": {"50": 4}}]
    assert _history(steps, [damaged, *some], []) == _history(steps, some, [])


def test_quiet_steps_push_no_other_out_of_a_table() -> None:
    steps = steps_of(Wish(NOW - HOUR, NOW), NOW)
    heard = steps.starts[3]
    quiet = [
        _minute(query, start, n_rows=0, input_rows_per_s=0.0, n_read=0)
        for query in ("taste", "messages")
        for start in steps.starts[4:]
    ]
    told = [
        _minute("taste", heard, input_rows_per_s=2.0),
        _minute("messages", heard, n_read=9),
    ]
    delays: list[Document] = [{"start": heard, "n": {"50": 4}}]
    history = _history(steps, delays, [*quiet, *told])
    for make in (tables.delays_table, tables.rates_table, tables.messages_table):
        assert _firsts(make(history)) == [f"{heard:%Y-%m-%d %H:%M}"]


def _firsts(table: Any) -> list[str]:
    """Return the first cell of each row of a table."""
    return [row[0] for row in cells(table)]


def test_parts_of_a_time_add_up(rng: np.random.Generator) -> None:
    steps = steps_of(Wish(NOW - 24 * HOUR, NOW), NOW)
    delays = _within(_delays(_lists(rng, 3_000, 23 * HOUR)), history_steps=steps)
    starts = [steps.start + timedelta(minutes=n) for n in range(0, 1400, 3)]
    minutes = [
        _minute(
            *(query, start),
            n_rows=int(rng.integers(9)),
            n_batches=int(rng.integers(5)),
            state_rows=None if rng.random() < 0.2 else int(rng.integers(99)),
            # a phase or a reason may be in some parts alone
            duration_ms={str(name): 7.5 for name in rng.choice(list("abc"), 1)},
            n_read=int(rng.integers(50)),
            rejected={str(name): 3 for name in rng.choice(list("xyz"), 1)},
        )
        for start in starts
        for query in ("taste", "messages", *["intake"] * (start > starts[200]))
    ]
    cuts = [steps.start, starts[5], starts[6], starts[250], steps.end]
    parts = [
        part_of(
            [each for each in delays if first <= each["start"] < end],
            [each for each in minutes if first <= each["start"] < end],
        )
        for first, end in pairwise(cuts)
    ]
    history = history_in(steps, joined(parts))
    assert history == _history(steps, delays, minutes)
    assert set(history.queries) == {"taste", "intake"}
    assert set(history.rejected) == set("xyz")

"""Arrow columns as plain values, also of a part of a batch."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from streaming.columns import in_parts, lists, moments, tuples

AT = datetime(2026, 5, 3, 22, 10, 0, 123_000, tzinfo=UTC)


def test_moments_are_aware_and_exact() -> None:
    early = datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    for unit in ("ms", "us", "ns"):
        column = pa.array([AT, early], pa.timestamp(unit, "UTC"))
        assert moments(column) == [AT, early]


def test_lists_of_a_slice_are_its_own() -> None:
    rows: list[list[dict[str, Any]]] = [
        [{"n": 1, "at": AT}],
        [],
        [{"n": 2, "at": AT}, {"n": 3, "at": None}],
    ]
    shape = pa.struct([("n", pa.int64()), ("at", pa.timestamp("us", "UTC"))])
    column = pa.array(rows, pa.list_(shape))
    for first in range(3):
        part = column.slice(first)
        items = tuples(part.flatten(), ["at", "n"])
        expected = [[(x["at"], x["n"]) for x in row] for row in rows[first:]]
        assert lists(part, items) == expected


def test_parts_hold_all_rows_once() -> None:
    batch = pa.RecordBatch.from_pydict({"n": list(range(7))})
    parts = [part["n"].to_pylist() for part in in_parts([batch, batch.slice(0, 0)], 3)]
    assert parts == [[0, 1, 2], [3, 4, 5], [6]]

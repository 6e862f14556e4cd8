"""Arrow columns as plain values, also of a part of a batch."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from streaming.columns import in_groups, lists, moments, tuples

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


def test_groups_hold_all_rows_of_a_listener_together() -> None:
    rows = [("b", 1), ("a", 2), ("c", 3), ("b", 4), ("a", 5), ("d", 6)]
    batches = [
        pa.RecordBatch.from_pydict({"who": [who], "n": [[{"x": n}]]}) for who, n in rows
    ]

    def groups(most: int, piece_bytes: int = 1 << 20) -> list[list[str]]:
        found = in_groups(batches, "who", most, piece_bytes)
        return [
            [f"{row['who']}{row['n'][0]['x']}" for row in group.to_pylist()]
            for group in found
        ]

    assert groups(2) == [["a2", "a5", "b1", "b4"], ["c3", "d6"]]
    assert groups(3) == [["a2", "a5", "b1", "b4", "c3"], ["d6"]]
    # what does not fit is torn apart, and nothing is lost
    assert [each for group in groups(9, 1) for each in group] == [
        f"{who}{n}" for who, n in rows
    ]
    assert list(in_groups([], "who", 2)) == []

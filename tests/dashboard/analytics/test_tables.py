"""Tables as files, read again by others."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dashboard.analytics.tables import Table, as_csv, as_parquet

TABLE: dict[str, list[Any]] = {
    "name": ["=1+1", "+1", "-1", "@x", "\t=1", 'a,b\n"c"', "Björk"],
    "n": [-1, 0, 1, 2, 3, 4, 5],
}


def test_no_cell_of_a_csv_is_a_formula() -> None:
    head, *rows = csv.reader(io.StringIO(as_csv(TABLE).decode(), newline=""))
    assert head == ["name", "n"]
    assert [row[1] for row in rows] == [str(n) for n in TABLE["n"]]
    assert [row[0] for row in rows] == [
        *("'=1+1", "'+1", "'-1", "'@x", "'\t=1"),
        *('a,b\n"c"', "Björk"),
    ]


def test_parquet_has_what_is_there() -> None:
    found = pd.read_parquet(io.BytesIO(as_parquet(TABLE)))
    assert found.to_dict("list") == TABLE


COLUMNS: dict[str, Any] = {
    "start": pa.timestamp("us", "UTC"),
    "day": pa.date32(),
    "title": pa.string(),
    "n_plays": pa.int64(),
    "rejected_not_json": pa.int64(),
    "heard_ms": pa.int64(),
    "is_dead": pa.bool_(),
    "addBatch_ms": pa.float64(),
    "share_played": pa.float64(),
}
AT = datetime(2026, 5, 3, 22, tzinfo=UTC)
FULL = [AT, AT.date(), "a", 2.0, 3, 4, True, 5, 0.5]


@pytest.mark.parametrize(
    "table",
    [
        {name: [] for name in COLUMNS},
        {name: [None] for name in COLUMNS},
        {name: [cell, None] for name, cell in zip(COLUMNS, FULL, strict=True)},
    ],
)
def test_columns_have_the_same_types_whatever_is_in_them(table: Table) -> None:
    found = pq.read_table(io.BytesIO(as_parquet(table)))
    assert dict(zip(found.schema.names, found.schema.types, strict=True)) == COLUMNS
    assert as_csv(table).splitlines()[0].decode() == ",".join(COLUMNS)


def test_counts_are_whole_numbers_in_csv_and_no_fraction_is_lost() -> None:
    assert as_csv({"n_plays": [2.0, 3]}) == b"n_plays\r\n2\r\n3\r\n"
    with pytest.raises(pa.ArrowInvalid):
        as_csv({"n_plays": [2.5]})

"""Tables as files, read again by others."""

import csv
import io
from typing import Any

import pandas as pd  # type: ignore[import-untyped]

from dashboard.analytics.tables import as_csv, as_parquet

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


def test_an_empty_table_has_its_columns() -> None:
    assert as_csv({"name": [], "n": []}) == b"name,n\r\n"
    assert as_parquet({"name": [], "n": []})[:4] == b"PAR1"

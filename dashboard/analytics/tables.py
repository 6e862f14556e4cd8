"""Tables as files: CSV that no spreadsheet takes for formulas, and Parquet."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

Table = Mapping[str, Sequence[Any]]
"""Columns by name."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_COUNTS: Final = ("n_", "rejected_")
_TYPES: Final[Mapping[str, pa.DataType]] = {
    **dict.fromkeys(
        (
            *("heard_ms", "length_ms", "state_rows", "state_bytes"),
            *("rank", "hour", "weeks_since", "cluster", "group", "n"),
        ),
        pa.int64(),
    ),
    **dict.fromkeys(("day", "week", "first_week", "date"), pa.date32()),
    **dict.fromkeys(("start", "failed_at"), pa.timestamp("us", "UTC")),
    **dict.fromkeys(
        (
            *("key", "name", "note", "track_id", "title", "artist", "style", "who"),
            *("styles", "tracks", "weekday", "part", "model", "surface", "query"),
            *("block", "dimension", "repeats", "in_lists", "path", "stage"),
            *("error_class", "message", "cluster_name", "style_names", "track_names"),
        ),
        pa.string(),
    ),
    **dict.fromkeys(("is_dead", "retry"), pa.bool_()),
}
"""Of columns by their names; those that are not here are numbers with a fraction."""


def typed(table: Table) -> pa.Table:
    """Return a table whose columns have the same types, whatever is in them.

    Examples
    --------
    >>> typed({"n_plays": [2.0, None], "share": [None, None]}).schema.types
    [DataType(int64), DataType(double)]
    """
    return pa.table(
        # of what is no whole number, a cast does not lose the fraction: it fails
        {name: pa.array(list(each)).cast(_type(name)) for name, each in table.items()}
    )


def as_csv(table: Table) -> bytes:
    r"""Return a table as CSV, UTF-8.

    A text that a spreadsheet would compute gets an apostrophe before it.

    Examples
    --------
    >>> as_csv({"name": ["=1+1"], "n": [-2]})
    b"name,n\r\n'=1+1,-2\r\n"
    """
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(table)
    columns = typed(table).to_pydict().values()
    writer.writerows(map(_harmless, zip(*columns, strict=True)))
    return file.getvalue().encode()


def as_parquet(table: Table) -> bytes:
    """Return a table as Parquet."""
    sink = io.BytesIO()
    pq.write_table(typed(table), sink)
    return sink.getvalue()


WRITERS: Final[Mapping[str, tuple[Callable[[Table], bytes], str]]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "parquet": (as_parquet, "application/vnd.apache.parquet"),
}
"""By the end of the name: what writes a table, and its media type."""


def _type(name: str) -> pa.DataType:
    return pa.int64() if name.startswith(_COUNTS) else _TYPES.get(name, pa.float64())


def _harmless(row: Sequence[Any]) -> list[Any]:
    return [
        f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
        for cell in row
    ]

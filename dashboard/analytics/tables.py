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
    writer.writerows(map(_harmless, zip(*table.values(), strict=True)))
    return file.getvalue().encode()


def as_parquet(table: Table) -> bytes:
    """Return a table as Parquet."""
    sink = io.BytesIO()
    pq.write_table(pa.table({name: list(each) for name, each in table.items()}), sink)
    return sink.getvalue()


WRITERS: Final[Mapping[str, tuple[Callable[[Table], bytes], str]]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "parquet": (as_parquet, "application/vnd.apache.parquet"),
}
"""By the end of the name: what writes a table, and its media type."""


def _harmless(row: Sequence[Any]) -> list[Any]:
    return [
        f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
        for cell in row
    ]

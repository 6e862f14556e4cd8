"""Files of ready feature vectors, CSV or Parquet, as batches of columns.

A CSV file has one line of names, or the four lines of the FMA data set: `feature`,
`statistics`, `number`, `track_id`. Then the three names of a column become one,
`mfcc|mean|01`. All values of a CSV file stay text here: what is a number is decided
where the numbers are needed, so that one bad cell costs one row.
"""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from segue.errors import LibraryError

FMA_ID: Final = "track_id"
_FMA_HEADER: Final = ("feature", "statistics", "number")
_PARQUET_MAGIC: Final = b"PAR1"
_BLOCK_BYTES: Final = 16 << 20
_ROWS_AT_ONCE: Final = 4096


@dataclass(frozen=True, slots=True)
class ReadyFile:
    """An open file of ready features.

    Attributes
    ----------
    names : list of str
        The columns, in their order.
    batches : iterator of RecordBatch
        The rows, some at a time; of a CSV file all columns are text, empty cells null.
    is_fma : bool
        Whether the header is that of the FMA data set.
    malformed : list of str
        Lines that have too many or too few cells, so far; they are in no batch.
    """

    names: list[str]
    batches: Iterator[pa.RecordBatch]
    is_fma: bool = False
    malformed: list[str] = field(default_factory=list)


@contextmanager
def open_ready(path: Path) -> Iterator[ReadyFile]:
    """Open a file of ready features for one pass.

    Raises
    ------
    LibraryError
        When it cannot be read or is neither CSV nor Parquet, here or while `batches`
        are taken.
    """
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC
        with _open_parquet(path) if is_parquet else _open_csv(path) as ready:
            yield ready
    except OSError as error:
        raise LibraryError(
            f"cannot read {path}: {error.strerror or error}; give a CSV or Parquet "
            "file of features"
        ) from error
    except (pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        raise LibraryError(
            f"{path} is no whole CSV (UTF-8) or Parquet file: {error}"
        ) from error


@contextmanager
def _open_parquet(path: Path) -> Iterator[ReadyFile]:
    with pq.ParquetFile(path) as file:
        names = list(file.schema_arrow.names)
        _require_distinct(path, names)
        yield ReadyFile(names, file.iter_batches(_ROWS_AT_ONCE))


@contextmanager
def _open_csv(path: Path) -> Iterator[ReadyFile]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open(encoding="utf-8-sig", newline="") as text:
        names, n_header, is_fma = _read_header(text, delimiter)
    _require_distinct(path, names)
    malformed: list[str] = []
    with pacsv.open_csv(
        path,
        # one thread, so that a malformed line is known by its number
        pacsv.ReadOptions(
            use_threads=False,
            block_size=_BLOCK_BYTES,
            skip_rows=n_header,
            column_names=names,
        ),
        pacsv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            invalid_row_handler=lambda row: _skip(row, malformed),
        ),
        pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    ) as reader:
        yield ReadyFile(names, iter(reader), is_fma, malformed)


def _read_header(text: TextIO, delimiter: str) -> tuple[list[str], int, bool]:
    """Return the names, the number of lines they take, and whether they are FMA's."""
    lines = list(islice(csv.reader(text, delimiter=delimiter), len(_FMA_HEADER) + 1))
    firsts = tuple(line[0] if line else "" for line in lines)
    if firsts[: len(_FMA_HEADER)] != _FMA_HEADER:
        return [name.strip() for name in lines[0]] if lines else [], 1, False
    columns = zip(*(line[1:] for line in lines[: len(_FMA_HEADER)]), strict=False)
    names = [FMA_ID, *map("|".join, columns)]
    names_index = firsts[-1] == FMA_ID and not any(lines[-1][1:])
    return names, len(_FMA_HEADER) + names_index, True


def _require_distinct(path: Path, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise LibraryError(
            f"{path} has more than one column {', '.join(map(repr, twice[:5]))}; each "
            "needs a name of its own"
        )


def _skip(row: Any, malformed: list[str]) -> str:
    cells = f"{row.actual_columns} cells, not {row.expected_columns}"
    malformed.append(f"line {row.number} has {cells}")
    return "skip"

"""Columns of Arrow as plain values, without a detour over rows."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import pyarrow as pa

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)


def moments(column: pa.Array) -> list[datetime]:
    """Return the aware times of a column of timestamps, none of them null."""
    numbers = column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
    return [_EPOCH + number * _US for number in numbers]


def column_of(structs: pa.StructArray, name: str) -> pa.Array:
    """Return one field of each struct."""
    return structs.field(structs.type.get_field_index(name))


def tuples(structs: pa.StructArray, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return the named fields of each struct."""
    columns = (_values(column_of(structs, name)) for name in names)
    return list(zip(*columns, strict=True))


def _values(column: pa.Array) -> list[Any]:
    is_time = pa.types.is_timestamp(column.type) and not column.null_count
    return moments(column) if is_time else list(column.to_pylist())


def in_parts(batches: Iterable[pa.RecordBatch], most: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows in batches of at most `most`."""
    for batch in batches:
        for first in range(0, len(batch), most):
            yield batch.slice(first, most)


def lists(column: pa.ListArray, items: Sequence[Any]) -> list[list[Any]]:
    """Return the lists of a column whose items, one after the other, are `items`."""
    ends = column.offsets.to_pylist()
    first = ends[0]
    return [list(items[a - first : b - first]) for a, b in pairwise(ends)]

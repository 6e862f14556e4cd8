"""Columns of Arrow as plain values, without a detour over rows."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import pyarrow as pa

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_PIECE_BYTES: Final = 64 << 20


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


def dicts(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return each row by the names of its columns."""
    names = batch.schema.names
    rows = zip(*(_values(column) for column in batch.columns), strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows]


def _values(column: pa.Array) -> list[Any]:
    is_time = pa.types.is_timestamp(column.type) and not column.null_count
    return moments(column) if is_time else list(column.to_pylist())


def in_groups(
    batches: Iterable[pa.RecordBatch],
    key: str,
    most: int,
    piece_bytes: int = _PIECE_BYTES,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows sorted by `key`, with at most `most` values of it in a batch.

    Rows of one value come together where they lie within `piece_bytes`.
    """
    for piece in _pieces(batches, piece_bytes):
        rows = piece.sort_by(key)
        keys = rows[key].to_pylist()
        starts = [i for i, name in enumerate(keys) if not i or name != keys[i - 1]]
        ends = [*starts[::most], len(keys)]
        for first, last in pairwise(ends):
            group = rows.slice(first, last - first).combine_chunks()
            yield from group.to_batches()


def _pieces(batches: Iterable[pa.RecordBatch], piece_bytes: int) -> Iterator[pa.Table]:
    held, n_bytes = list[pa.RecordBatch](), 0
    for batch in batches:
        held.append(batch)
        n_bytes += batch.nbytes
        if n_bytes >= piece_bytes:
            yield pa.Table.from_batches(held)
            held, n_bytes = [], 0
    if held:
        yield pa.Table.from_batches(held)


def lists(column: pa.ListArray, items: Sequence[Any]) -> list[list[Any]]:
    """Return the lists of a column whose items, one after the other, are `items`."""
    ends = column.offsets.to_pylist()
    first = ends[0]
    return [list(items[a - first : b - first]) for a, b in pairwise(ends)]

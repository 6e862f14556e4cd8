"""What the columns of a file of ready features are: id, texts, dimensions.

Names decide, and for the rest whether a column holds numbers. Numbers that are no
sound (ids, years, durations, numbered rows) are no dimensions.
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from segue.errors import LibraryError

IDS: Final = ("track_id", "id", "filename", "path")
TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "title": ("title", "track_title", "track_name", "name"),
    "artist": ("artist", "artist_name", "artists"),
    "album": ("album", "album_title", "album_name"),
    "genre": ("genre", "genre_top", "track_genre", "genres", "label"),
    "year": ("year", "release_year"),
    "duration": ("duration_s", "duration_ms", "duration", "length"),
}
"""Names of the columns that tell of a track, by the field that they fill."""

_NO_SOUND: Final = re.compile(
    r"(.+_)?id|index|__index_level_\d+__|unnamed: ?\d+|(track|disc)_?(no|number)|"
)
# what stands behind the name of a feature: a statistic, the number of a coefficient
_STATISTIC: Final = re.compile(
    r"([_\W]+(mean|avg|median|var|variance|std|stdev|min|max|skew|skewness|kurtosis)"
    r"|[_\W]*\d+)$"
)
Matrix = NDArray[np.float32]

_UNNAMED: Final = "features"
_HASH_CHARS: Final = 12
_PROBED: Final = 200
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Dimensions:
    """A column that holds one dimension, or a list of `size` of them."""

    name: str
    size: int
    is_list: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a file of ready features.

    Attributes
    ----------
    id_column : str
    texts : mapping
        Column by the field that it fills, of `TEXTS`.
    columns : tuple of Dimensions
        Ordered by block and name, whatever their order in the file.
    ignored : tuple of str
        Columns that are none of these.
    """

    id_column: str
    texts: Mapping[str, str]
    columns: tuple[Dimensions, ...]
    ignored: tuple[str, ...]

    @property
    def key(self) -> str:
        """Hash of names and sizes: files of one key hold vectors of one kind."""
        content = "\n".join(f"{column.name} {column.size}" for column in self.columns)
        return hashlib.sha256(content.encode()).hexdigest()[:_HASH_CHARS]

    @property
    def blocks(self) -> dict[str, slice]:
        """Which of all dimensions belong to each block."""
        blocks: dict[str, slice] = {}
        start = 0
        for column in self.columns:
            name = block_of(column.name)
            first = blocks[name].start if name in blocks else start
            start += column.size
            blocks[name] = slice(first, start)
        return blocks

    @property
    def n_dims(self) -> int:
        """Number of all dimensions."""
        return sum(column.size for column in self.columns)

    def split(self, vectors: Matrix) -> dict[str, Matrix]:
        """Return the blocks of rows, each of shape (n_rows, size of the block)."""
        return {name: vectors[:, dims] for name, dims in self.blocks.items()}

    def label_of(self, dim: int) -> str:
        """Return what to call one dimension, by its place in a row."""
        for column in self.columns:
            if dim < column.size:
                return f"{column.name}[{dim}]" if column.is_list else column.name
            dim -= column.size
        raise IndexError(dim)


def block_of(name: str) -> str:
    """Return the feature that a dimension belongs to.

    Examples
    --------
    >>> [block_of(name) for name in ("mfcc12_var", "chroma_stft_mean", "tempo")]
    ['mfcc', 'chroma_stft', 'tempo']
    >>> block_of("chroma_cens|kurtosis|01"), block_of("17")
    ('chroma_cens', 'features')
    """
    block = name.split("|", maxsplit=1)[0].lower()
    while (shorter := _STATISTIC.sub("", block)) != block:
        block = shorter
    return block or _UNNAMED


def find_layout(names: Sequence[str], first: pa.RecordBatch) -> Layout:
    """Decide what each column is.

    Parameters
    ----------
    names : sequence of str
    first : RecordBatch
        Some rows, from which to see which columns hold numbers.

    Raises
    ------
    LibraryError
        When no column names the tracks, or none holds numbers.
    """
    by_name = {name.lower(): name for name in reversed(names)}
    id_column = next((by_name[each] for each in IDS if each in by_name), None)
    if id_column is None:
        raise LibraryError(
            f"no column names the tracks: give one of {', '.join(IDS)}; there are "
            f"{_listed(names)}"
        )
    texts = {
        field: by_name[found]
        for field, wanted in TEXTS.items()
        if (found := next((each for each in wanted if each in by_name), None))
        and by_name[found] != id_column
    }
    told = {id_column.lower(), *(each for wanted in TEXTS.values() for each in wanted)}
    columns = [
        Dimensions(name, size, _is_list(first[name].type))
        for name in names
        if name.lower() not in told and not _NO_SOUND.fullmatch(name.lower())
        if (size := _n_dims(first[name]))
    ]
    if not columns:
        raise LibraryError(
            f"no column holds numbers that describe sound; there are {_listed(names)}"
        )
    used = {id_column, *texts.values(), *(column.name for column in columns)}
    return Layout(
        id_column,
        texts,
        tuple(sorted(columns, key=lambda each: (block_of(each.name), each.name))),
        tuple(name for name in names if name not in used),
    )


def read_dimensions(batch: pa.RecordBatch, layout: Layout) -> Matrix:
    """Return the dimensions of some rows; what is no number is NaN.

    Returns
    -------
    ndarray, float32, shape (n_rows, layout.n_dims)
    """
    parts = [_matrix(batch[column.name], column.size) for column in layout.columns]
    with np.errstate(over="ignore"):  # too large a number becomes infinite: no number
        return np.concatenate(parts, axis=1, dtype=np.float32, casting="same_kind")


def numbers(column: pa.Array) -> NDArray[np.float64]:
    """Return a column of numbers or of text as numbers; NaN for what is none."""
    try:
        cast = pc.cast(column, pa.float64())
    except pa.ArrowInvalid:
        cast = pa.array([_number(text) for text in column.to_pylist()], pa.float64())
    return np.asarray(cast.to_numpy(zero_copy_only=False), dtype=np.float64)


def _matrix(column: pa.Array, size: int) -> NDArray[np.float64]:
    if not _is_list(column.type):
        return numbers(column)[:, None]
    matrix = np.full((len(column), size), np.nan)
    lengths = pc.fill_null(pc.list_value_length(column), -1).to_numpy()
    fits = lengths == size
    values = column.filter(pa.array(fits)).flatten()
    matrix[fits] = numbers(values).reshape(-1, size)
    return matrix


def _n_dims(column: pa.Array) -> int:
    """Return how many dimensions a column holds, 0 when it holds no numbers."""
    kind, present = column.type, column.drop_null()
    if _is_list(kind):
        if not _is_number(kind.value_type) or len(present) == 0:
            return 0
        # most rows are right about their length
        return int(np.bincount(pc.list_value_length(present)).argmax())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        probed = [_number(text) for text in present[:_PROBED].to_pylist()]
        read = [number for number in probed if number is not None]
        has_any = any(map(math.isfinite, read))  # a column of "NaN" may be anything
        return int(has_any and len(read) * 2 >= len(probed))
    return int(_is_number(kind))


def _is_list(kind: Any) -> bool:
    types = pa.types
    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
    )


def _is_number(kind: Any) -> bool:
    types = pa.types
    return bool(
        types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    )


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN]))
    n_more = len(names) - _SHOWN
    return f"{shown} and {n_more} more" if n_more > 0 else shown

"""The feature table: append-only Parquet, one folder per feature spec.

`<home>/features/<spec hash>/tracks` holds a row for each content that gave features,
`…/failures` one for each try that did not. Rows are known by `content_sha256`; a row
that occurs twice (a job was killed and run again) counts once.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from features.spec import FeatureSpec, spec_hash

TRACKS: Final = "tracks"
FAILURES: Final = "failures"

TRACK_COLUMNS: Final = {
    "track_id": "string",
    "path": "string",
    "content_sha256": "string",
    "sample_rate_hz": "int",
    "duration_s": "double",
    "mfcc": "array<float>",
    "spec": "string",
    "extracted_at": "timestamp",
}
"""Names and Spark types of a row of the table."""

FAILURE_COLUMNS: Final = {
    "path": "string",
    "content_sha256": "string",
    "stage": "string",
    "error_class": "string",
    "message": "string",
    "failed_at": "timestamp",
    "retry": "boolean",
}
"""Names and Spark types of a failure; `content_sha256` is null where the file could
not be read at all."""

_ARROW_TYPES: Final = {
    "string": pa.string(),
    "int": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "array<float>": pa.list_(pa.float32()),
}


def table_folder(home: Path, spec: FeatureSpec) -> Path:
    """Return the folder of the table that holds vectors of `spec`."""
    return home / "features" / spec_hash(spec)


def spark_schema(columns: dict[str, str]) -> str:
    """Return the columns as a Spark schema.

    Examples
    --------
    >>> spark_schema({"path": "string", "retry": "boolean"})
    'path string, retry boolean'
    """
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def arrow_schema(columns: dict[str, str]) -> pa.Schema:
    """Return the columns as an Arrow schema."""
    return pa.schema([(name, _ARROW_TYPES[kind]) for name, kind in columns.items()])


def read_tracks(folder: Path) -> pa.Table:
    """Return the rows of the table, one for each content, by ascending `track_id`.

    Parameters
    ----------
    folder : Path
        From :func:`table_folder`; it may not exist yet.
    """
    rows = _read(folder / TRACKS, TRACK_COLUMNS)
    order = [(name, "ascending") for name in ("track_id", "extracted_at", "path")]
    rows = rows.sort_by(order)
    return rows.take(_first_of_each(rows["track_id"]))


def read_failures(folder: Path) -> pa.Table:
    """Return the failures, oldest first; every try is a row."""
    return _read(folder / FAILURES, FAILURE_COLUMNS).sort_by("failed_at")


def read_vectors(folder: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Return the vectors of all tracks of the table.

    Returns
    -------
    track_ids : list of str
        Ascending.
    vectors : ndarray, float32, shape (n_tracks, n_mfcc)
        Rows in the order of `track_ids`; (0, 0) for an empty table.
    """
    rows = read_tracks(folder)
    if rows.num_rows == 0:
        return [], np.empty((0, 0), dtype=np.float32)
    values = rows["mfcc"].combine_chunks().flatten().to_numpy()
    return rows["track_id"].to_pylist(), values.reshape(rows.num_rows, -1)


def read_known(folder: Path) -> set[str]:
    """Return the contents that have features already."""
    rows = _read(folder / TRACKS, {"content_sha256": "string"})
    return set(rows["content_sha256"].to_pylist())


def read_hopeless(folder: Path) -> set[str]:
    """Return the contents that failed and are not worth another try."""
    rows = _read(folder / FAILURES, {"content_sha256": "string", "retry": "boolean"})
    return set(rows.filter(pc.field("retry") == False)["content_sha256"].to_pylist())  # noqa: E712


def _read(folder: Path, columns: dict[str, str]) -> pa.Table:
    schema = arrow_schema(columns)
    if not folder.is_dir():
        return schema.empty_table()
    rows = ds.dataset(folder, format="parquet", schema=schema)
    return rows.to_table(columns=list(columns))


def _first_of_each(ids: pa.ChunkedArray) -> NDArray[np.int64]:
    values = np.asarray(ids.to_pylist(), dtype=object)
    is_first = np.ones(len(values), dtype=bool)
    is_first[1:] = values[1:] != values[:-1]
    return np.flatnonzero(is_first)

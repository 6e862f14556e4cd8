"""What Spark's Python workers run: hash files, extract features, one file at a time.

A worker is the boundary of what audio can do: whatever a file raises becomes a row.
A file that kills its worker, or keeps it longer than allowed, is tried once more by
Spark and then becomes a row too.
"""

import resource
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyspark import TaskContext

from features.mfcc import TrackFeatures, extract_features
from features.plan import HashedFile
from features.spec import FeatureSpec, spec_hash
from features.table import FAILURE_COLUMNS, TRACK_COLUMNS, arrow_schema
from segue.catalog import content_sha256, track_id_of
from segue.clock import Clock
from segue.errors import UnreadableAudioError
from segue.settings import FeatureSettings

Row = dict[str, Any]
BatchFunction = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]

HASH_COLUMNS: Final = {"row": "int", "content_sha256": "string", "message": "string"}
"""A file by its place in the list; `message` says why it could not be hashed."""

RESULT_COLUMNS: Final = {**TRACK_COLUMNS, **FAILURE_COLUMNS}
"""A row of the table or a failure; the columns of the other kind are null."""

MAX_MESSAGE_CHARS: Final = 500
_LAST_TRY: Final = 1


def hash_files(paths: Sequence[str]) -> BatchFunction:
    """Return a function of batches of places in `paths`, giving `HASH_COLUMNS`."""
    schema = arrow_schema(HASH_COLUMNS)

    def hash_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = [_hashed(row, paths[row]) for row in batch.column(0).to_pylist()]
            yield pa.RecordBatch.from_pylist(rows, schema=schema)

    return hash_batches


def extract_files(
    files: Sequence[HashedFile],
    spec: FeatureSpec,
    clock: Clock,
    limits: FeatureSettings,
) -> BatchFunction:
    """Return a function of batches of places in `files`, giving `RESULT_COLUMNS`."""
    schema = arrow_schema(RESULT_COLUMNS)

    def extract_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for row in batch.column(0).to_pylist():
                result = _result(files[row], spec, clock, limits)
                yield pa.RecordBatch.from_pylist([result], schema=schema)

    return extract_batches


def printable(text: str) -> str:
    r"""Return `text` as valid UTF-8 without NUL, at most `MAX_MESSAGE_CHARS` long.

    Examples
    --------
    >>> printable("caf\udce9.mp3")
    'caf\\udce9.mp3'
    """
    valid = text.encode("utf-8", "backslashreplace").decode().replace("\0", "")
    return valid[:MAX_MESSAGE_CHARS]


def _hashed(row: int, path: str) -> Row:
    try:
        path.encode("utf-8")
        return {"row": row, "content_sha256": content_sha256(Path(path))}
    except UnicodeEncodeError:
        return {"row": row, "message": "its name is not UTF-8; rename the file"}
    except OSError as error:
        return {"row": row, "message": printable(str(error))}


def _result(
    file: HashedFile, spec: FeatureSpec, clock: Clock, limits: FeatureSettings
) -> Row:
    try:
        features = _extract(file.path, spec, limits)
    except UnreadableAudioError as error:
        return _failure(file, clock, error)
    return _track(file, features, spec, clock)


def _extract(path: str, spec: FeatureSpec, limits: FeatureSettings) -> TrackFeatures:
    attempt = _attempt_number()
    if attempt > _LAST_TRY:
        cause = f"{attempt} workers died on it, or took over {limits.file_timeout_s} s"
        raise UnreadableAudioError(path, "worker", cause)
    try:
        with _time_limit(limits.file_timeout_s), _memory_limit(limits.worker_memory_mb):
            return extract_features(path, spec)
    except UnreadableAudioError:
        raise
    except MemoryError as error:
        cause = (
            f"it takes more than features.worker_memory_mb {limits.worker_memory_mb}"
        )
        raise UnreadableAudioError(path, "memory", cause, retry=True) from error
    except Exception as error:  # the boundary: the file is the culprit, and named
        cause = f"{type(error).__name__}: {error}"
        raise UnreadableAudioError(path, "unknown", cause) from error


def _track(
    file: HashedFile, features: TrackFeatures, spec: FeatureSpec, clock: Clock
) -> Row:
    return {
        "track_id": track_id_of(file.content_sha256),
        "path": file.path,
        "content_sha256": file.content_sha256,
        "sample_rate_hz": features.sample_rate_hz,
        "duration_s": features.duration_s,
        "mfcc": features.mfcc,
        "spec": spec_hash(spec),
        "extracted_at": clock(),
    }


def _failure(file: HashedFile, clock: Clock, error: UnreadableAudioError) -> Row:
    return {
        "path": file.path,
        "content_sha256": file.content_sha256,
        "stage": error.stage,
        "error_class": type(error.__cause__ or error).__name__,
        "message": printable(error.cause),
        "failed_at": clock(),
        "retry": error.retry,
    }


def _attempt_number() -> int:
    context = TaskContext.get()
    return 0 if context is None else context.attemptNumber()


@contextmanager
def _time_limit(timeout_s: int) -> Iterator[None]:
    """End this process after `timeout_s`, even inside a decoder that hangs."""
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(timeout_s)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _memory_limit(memory_mb: int) -> Iterator[None]:
    """Give a MemoryError to whoever asks for more, instead of taking the machine."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = memory_mb << 20
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

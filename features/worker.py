"""What Spark's Python workers run: some files of the library, one after the other.

Each task writes its own parts of the table, so its rows are there as soon as it ends,
whatever happens to the job. A file is read in a process of its own: whatever it does
there becomes a row.
"""

import gc
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from features.analysis import TrackFeatures, analyse
from features.plan import FoundFile, HashedFile
from features.sandbox import Limits, RunFailedError, run_apart
from features.spec import FeatureSpec, spec_hash
from features.table import FAILURES, STAMPS, TRACKS, Row, TableWriter
from segue.catalog import content_sha256, track_id_of
from segue.clock import Clock
from segue.errors import UnreadableAudioError
from segue.settings import FeatureSettings

MAX_MESSAGE_CHARS: Final = 500
_WARM_UP_RATES_HZ: Final = (22_050, 44_100, 48_000)
# a file gets the timeout once more for each of these
_MB_PER_TIMEOUT: Final = 16
_TELLING: Final = 5


@dataclass(frozen=True, slots=True)
class Done:
    """What became of the files of a task.

    Attributes
    ----------
    n_files, n_failed, n_bytes : int
    told : tuple of (path, message)
        The first few failures; all of them are rows of the table.
    """

    n_files: int
    n_failed: int
    n_bytes: int
    told: tuple[tuple[str, str], ...]


def hash_files(files: Sequence[FoundFile], writer: TableWriter, clock: Clock) -> Done:
    """Hash files; write their stamps, and a failure for each unreadable one."""
    rows = [_hashed(file, clock) for file in files]
    failures = [row for row in rows if "error_class" in row]
    writer.write(STAMPS, [row for row in rows if "error_class" not in row])
    writer.write(FAILURES, failures)
    return _done(files, failures)


def extract_files(
    files: Sequence[HashedFile],
    writer: TableWriter,
    clock: Clock,
    spec: FeatureSpec,
    settings: FeatureSettings,
) -> Done:
    """Extract features; write a row of the table or a failure for each file."""
    _warm_up(spec)
    rows = [_extracted(file, clock, spec, settings) for file in files]
    failures = [row for row in rows if "error_class" in row]
    writer.write(TRACKS, [row for row in rows if "error_class" not in row])
    writer.write(FAILURES, failures)
    return _done(files, failures)


def printable(text: str) -> str:
    r"""Return `text` as valid UTF-8 without NUL, at most `MAX_MESSAGE_CHARS` long.

    Examples
    --------
    >>> printable("caf\udce9.mp3")
    'caf\\udce9.mp3'
    """
    valid = text.encode("utf-8", "backslashreplace").decode().replace("\0", "")
    return valid[:MAX_MESSAGE_CHARS]


def _done(
    files: Sequence[FoundFile] | Sequence[HashedFile], failures: list[Row]
) -> Done:
    told = tuple((row["path"], row["message"]) for row in failures[:_TELLING])
    return Done(len(files), len(failures), sum(f.size_bytes for f in files), told)


def _hashed(file: FoundFile, clock: Clock) -> Row:
    try:
        file.path.encode("utf-8")
        sha256 = content_sha256(Path(file.path))
    except UnicodeEncodeError as error:
        cause = "its name is not UTF-8; rename the file"
        return _failure(file.path, None, clock, _unreadable(file.path, cause, error))
    except OSError as error:
        return _failure(file.path, None, clock, _unreadable(file.path, error, error))
    return {
        "path": file.path,
        "size_bytes": file.size_bytes,
        "mtime_ns": file.mtime_ns,
        "content_sha256": sha256,
        "seen_at": clock(),
    }


def _unreadable(path: str, cause: object, error: Exception) -> UnreadableAudioError:
    unreadable = UnreadableAudioError(path, "read", str(cause), retry=True)
    unreadable.__cause__ = error
    return unreadable


def _extracted(
    file: HashedFile, clock: Clock, spec: FeatureSpec, settings: FeatureSettings
) -> Row:
    n_timeouts = 1 + file.size_bytes / (_MB_PER_TIMEOUT << 20)
    limits = Limits(settings.file_timeout_s * n_timeouts, settings.worker_memory_mb)
    try:
        answer = json.loads(run_apart(partial(_analysed, file.path, spec), limits))
    except RunFailedError as error:
        # more time or memory may help; a crash will come again
        retry = error.stage != "worker"
        failure = UnreadableAudioError(file.path, error.stage, str(error), retry)
        return _failure(file.path, file.content_sha256, clock, failure)
    if not _is_unchanged(file):
        failure = UnreadableAudioError(file.path, "read", "it changed meanwhile", True)
        return _failure(file.path, file.content_sha256, clock, failure)
    if "error_class" in answer:
        return {
            "path": printable(file.path),
            "content_sha256": file.content_sha256,
            "failed_at": clock(),
            **answer,
        }
    return {
        "track_id": track_id_of(file.content_sha256),
        "path": file.path,
        "content_sha256": file.content_sha256,
        "spec": spec_hash(spec),
        "extracted_at": clock(),
        **answer,
    }


def _is_unchanged(file: HashedFile) -> bool:
    """Whether the bytes that were analysed are those that were hashed."""
    try:
        status = Path(file.path).stat()
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (file.size_bytes, file.mtime_ns)


def _analysed(path: str, spec: FeatureSpec) -> bytes:
    """Return the columns of a track or of a failure, as JSON."""
    try:
        return json.dumps(_columns(analyse(path, spec))).encode()
    except UnreadableAudioError as error:
        failure = error
    except MemoryError:
        raise
    except Exception as error:  # the boundary: the file is the culprit, and named
        cause = f"{type(error).__name__}: {error}"
        # a full disk, say, is no fault of the file
        is_machines = isinstance(error, OSError)
        failure = UnreadableAudioError(path, "unknown", cause, retry=is_machines)
        failure.__cause__ = error
    return json.dumps(_reason(failure)).encode()


def _columns(features: TrackFeatures) -> Row:
    return {
        "sample_rate_hz": features.sample_rate_hz,
        "n_channels": features.n_channels,
        "duration_s": features.duration_s,
        **{name: values.tolist() for name, values in features.blocks.items()},
    }


def _reason(error: UnreadableAudioError) -> Row:
    return {
        "stage": error.stage,
        "error_class": type(error.__cause__ or error).__name__,
        "message": printable(error.cause),
        "retry": error.retry,
    }


def _failure(
    path: str, sha256: str | None, clock: Clock, error: UnreadableAudioError
) -> Row:
    return {
        "path": printable(path),
        "content_sha256": sha256,
        "failed_at": clock(),
        **_reason(error),
    }


@cache
def _warm_up(spec: FeatureSpec) -> None:
    """Load and compile once a worker what each forked child needs.

    What is there then is left alone by the garbage collector: a sweep after each task,
    which Spark makes, costs 60 ms otherwise, and in a child it would copy every page.
    """
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        for rate_hz in _WARM_UP_RATES_HZ:
            soundfile.write(file.name, np.zeros((rate_hz, 2)), rate_hz)
            analyse(file.name, spec)
    gc.freeze()

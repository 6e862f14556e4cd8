"""Feature tables that tests make without audio."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from features.descriptors import BLOCK_SIZES
from features.table import FAILURES, TRACKS, TableWriter, hold_table

START = datetime(2026, 5, 3, tzinfo=UTC)


def track_row(
    track_id: str, rng: np.random.Generator | None = None, hour: int = 0
) -> dict[str, Any]:
    """Return a row with random blocks, or with the same ones for the same id."""
    seed = int.from_bytes(track_id.encode(), "little") % 2**32
    rng = np.random.default_rng(seed) if rng is None else rng
    sizes = {"mfcc": 100, **BLOCK_SIZES}
    return {
        "track_id": track_id,
        "path": f"/music/{track_id}.ogg",
        "content_sha256": track_id * 8,
        "sample_rate_hz": 44_100,
        "n_channels": 2,
        "duration_s": 50.0,
        **{name: rng.normal(size=size).tolist() for name, size in sizes.items()},
        "spec": "s",
        "extracted_at": START + timedelta(hours=hour),
    }


def failure_row(
    content_sha256: str | None, retry: bool, hour: int = 0
) -> dict[str, Any]:
    return {
        "path": f"/music/{content_sha256}.ogg",
        "content_sha256": content_sha256,
        "stage": "decode",
        "error_class": "NoBackendError",
        "message": "nothing reads it",
        "failed_at": START + timedelta(hours=hour),
        "retry": retry,
    }


def append_tracks(folder: Path, part: str, rows: list[dict[str, Any]]) -> None:
    append(folder, TRACKS, part, rows)


def append_failures(folder: Path, part: str, rows: list[dict[str, Any]]) -> None:
    append(folder, FAILURES, part, rows)


def append(folder: Path, name: str, part: str, rows: list[dict[str, Any]]) -> None:
    with hold_table(folder, "b"):
        TableWriter(folder, "b", part).write(name, rows)

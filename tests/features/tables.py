"""Feature tables that tests make without audio."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.table import (
    FAILURE_COLUMNS,
    FAILURES,
    TRACK_COLUMNS,
    TRACKS,
    arrow_schema,
)

START = datetime(2026, 5, 3, tzinfo=UTC)


def track_row(track_id: str, mfcc: list[float], hour: int = 0) -> dict[str, Any]:
    return {
        "track_id": track_id,
        "path": f"/music/{track_id}.ogg",
        "content_sha256": track_id * 8,
        "sample_rate_hz": 44_100,
        "duration_s": 50.0,
        "mfcc": mfcc,
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


def append_tracks(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    _append(folder / TRACKS, name, rows, TRACK_COLUMNS)


def append_failures(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    _append(folder / FAILURES, name, rows, FAILURE_COLUMNS)


def _append(
    folder: Path, name: str, rows: list[dict[str, Any]], columns: dict[str, str]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows, schema=arrow_schema(columns))
    pq.write_table(table, folder / f"{name}.parquet")

"""Feature tables and indexes of catalogues that tests make up, without audio."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from features.descriptors import BLOCK_SIZES
from features.index import build_index
from features.spec import FeatureSpec, spec_hash
from features.table import FAILURES, TRACKS, Row, TableWriter, hold_table, table_folder
from segue.settings import Settings

START = datetime(2026, 5, 3, tzinfo=UTC)
SIZES = {"mfcc": 100, **BLOCK_SIZES}


def track_row(path: str, number: int, folder_seed: int = 0) -> Row:
    """Return the row of a track; tracks of one `folder_seed` sound alike."""
    centre = np.random.default_rng(folder_seed)
    own = np.random.default_rng([folder_seed, number])
    blocks = {
        name: (centre.normal(size=size) + 0.4 * own.normal(size=size)).tolist()
        for name, size in SIZES.items()
    }
    return {
        "track_id": f"{number:016x}",
        "path": path,
        "content_sha256": f"{number:064x}",
        "sample_rate_hz": 44_100,
        "n_channels": 2,
        "duration_s": 100.0 + number,
        **blocks,
        "spec": spec_hash(FeatureSpec()),
        "extracted_at": START + timedelta(seconds=number),
    }


def album_rows(n_folders: int, n_tracks: int) -> list[Row]:
    """Return rows of `n_folders` folders of `n_tracks` tracks each."""
    return [
        track_row(
            f"/music/album {folder}/{n + 1:02d} song {folder}-{n}.ogg",
            n * n_folders + folder,
            folder,
        )
        for folder in range(n_folders)
        for n in range(n_tracks)
    ]


def failure_row(path: str, sha256: str | None, **changes: object) -> Row:
    return {
        "path": path,
        "content_sha256": sha256,
        "stage": "decode",
        "error_class": "LibsndfileError",
        "message": "nothing reads it",
        "failed_at": START,
        "retry": False,
        **changes,
    }


def write_table(
    settings: Settings, rows: Sequence[Row], failures: Sequence[Row] = ()
) -> None:
    """Write a table as a build does."""
    folder = table_folder(settings.home, FeatureSpec())
    with hold_table(folder, "build"):
        writer = TableWriter(folder, "build", "part")
        writer.write(TRACKS, rows)
        writer.write(FAILURES, failures)


def write_catalogue(
    settings: Settings, rows: Sequence[Row], failures: Sequence[Row] = ()
) -> None:
    """Write table and index."""
    write_table(settings, rows, failures)
    build_index(settings, START)

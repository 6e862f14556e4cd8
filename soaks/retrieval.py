"""Is the taste space worth it? On real soundtracks, and on copies of their tracks.

Analyses the music (folders by soundtrack, as `bin/fetch-music` leaves them) and copies
of some tracks in other codecs and speeds; prints same-soundtrack P@1 and P@5 with
bootstrap intervals and the hubness of raw MFCC cosine and of the taste space, and how
many copies find their original first. Features are kept in `--work`, so that a second
run measures at once.
"""

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from features.analysis import TrackFeatures, analyse
from features.metrics import (
    bootstrap_interval,
    k_occurrence,
    nearest,
    precision_at,
    skewness,
)
from features.space import fit_space, hub_scales, transform
from features.spec import FeatureSpec, spec_hash
from segue.catalog import iter_audio_files
from segue.clock import system_clock
from segue.errors import UnreadableAudioError
from soaks.copies import choose_originals, write_copies

_MIN_S: Final = 20.0
_SEED: Final = 1
Blocks = dict[str, NDArray[np.float32]]


@click.command(help=__doc__)
@click.option("--music", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--copies", "n_copied", default=50, show_default=True)
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(music: Path, work: Path, n_copied: int, out: Any) -> None:
    """Measure; see the module."""
    paths = list(iter_audio_files(music))
    copies = write_copies(choose_originals(paths, n_copied), work / "copies")
    features = _analysed([*paths, *(copy for copy, _, _ in copies)], work / "features")
    tracks = [p for p in paths if p in features and features[p].duration_s >= _MIN_S]
    blocks = _blocks(tracks, features)
    answer = {
        "n_tracks": len(tracks),
        "n_soundtracks": len({path.parent for path in tracks}),
        "spaces": _retrieval(tracks, blocks),
        "copies": _copies(tracks, blocks, copies, features),
    }
    json.dump(answer, out, indent=1)
    out.write("\n")


def _analysed(paths: Sequence[Path], folder: Path) -> dict[Path, TrackFeatures]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        one = partial(_kept, folder=folder)
        found = list(tqdm(pool.map(one, paths), "features", len(paths)))
    return {p: f for p, f in zip(paths, found, strict=True) if f is not None}


def _kept(path: Path, folder: Path) -> TrackFeatures | None:
    spec = FeatureSpec()
    kept = folder / f"{spec_hash(spec)}-{path.parent.name}-{path.name}.npz"
    if not kept.exists():
        try:
            features = analyse(str(path), spec)
        except UnreadableAudioError as error:
            click.echo(str(error), err=True)
            return None
        duration_s = np.array(features.duration_s)
        np.savez(kept, duration_s=duration_s, **features.blocks)  # type: ignore[arg-type]
    with np.load(kept) as stored:
        blocks = {name: stored[name] for name in stored.files if name != "duration_s"}
        return TrackFeatures(0, 0, float(stored["duration_s"]), blocks)


def _blocks(paths: Sequence[Path], features: dict[Path, TrackFeatures]) -> Blocks:
    names = features[paths[0]].blocks
    return {k: np.stack([features[p].blocks[k] for p in paths]) for k in names}


def _retrieval(tracks: Sequence[Path], blocks: Blocks) -> dict[str, Any]:
    folders = sorted({path.parent for path in tracks})
    labels = np.array([folders.index(path.parent) for path in tracks])
    ones = np.ones(len(tracks), dtype=np.float32)
    raw = blocks["mfcc"] / np.linalg.norm(blocks["mfcc"], axis=1, keepdims=True)
    space = fit_space(blocks, system_clock())
    points = transform(space, blocks)
    spaces = {
        "raw_mfcc_cosine": (raw, ones),
        "taste_space_cosine": (points, ones),
        "taste_space": (points, hub_scales(space, points)),
    }
    return {k: _figures(labels, *each) for k, each in spaces.items()}


def _figures(
    labels: NDArray[np.int64], points: NDArray[np.float32], scales: NDArray[np.float32]
) -> dict[str, Any]:
    rows = np.arange(len(labels))
    has_mate = rows[np.bincount(labels)[labels] > 1]
    near = nearest(points, scales, rows, 10)
    figures: dict[str, Any] = {}
    for k in (1, 5):
        hits = precision_at(near[has_mate], labels, has_mate, k)
        interval = bootstrap_interval(hits, np.random.default_rng(_SEED))
        figures[f"p_at_{k}"] = round(float(hits.mean()), 4)
        figures[f"p_at_{k}_interval"] = [round(float(x), 4) for x in interval]
    counts = k_occurrence(near, len(labels))
    figures["skew"] = round(skewness(counts), 3)
    figures["orphans"] = round(float((counts == 0).mean()), 4)
    return figures


def _copies(
    tracks: Sequence[Path],
    blocks: Blocks,
    copies: list[tuple[Path, Path, str]],
    features: dict[Path, TrackFeatures],
) -> dict[str, Any]:
    """Return the share of copies whose nearest track is their original, by form."""
    space = fit_space(blocks, system_clock())
    points = transform(space, blocks)
    scales = hub_scales(space, points)
    there = [each for each in copies if each[0] in features and each[1] in tracks]
    queries = transform(space, _blocks([copy for copy, _, _ in there], features))
    cosines = queries @ points.T
    ranked = np.argmax(1 - (1 - cosines) / scales, axis=1)
    found: dict[str, list[bool]] = {}
    own: dict[str, list[float]] = {}
    for (_, original, form), best, row in zip(there, ranked, cosines, strict=True):
        found.setdefault(form, []).append(tracks[best] == original)
        own.setdefault(form, []).append(float(row[tracks.index(original)]))
    n_found = sum(map(sum, found.values()))
    return {
        "n": len(there),
        "found_at_rank_1": round(n_found / max(1, len(there)), 4),
        "by_form": {form: round(float(np.mean(v)), 4) for form, v in found.items()},
        "least_cosine": {form: round(min(v), 4) for form, v in own.items()},
    }


if __name__ == "__main__":
    sys.exit(main())

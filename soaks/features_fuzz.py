"""Thousands of broken audio files through the feature job: `bin/soak features_fuzz`.

Whatever is in a file, the job ends well, each content gives a track of finite numbers
or a failure with its reason, and nobody takes more time or memory than is allowed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.dataset as ds
from tqdm import tqdm

from features.spec import FeatureSpec
from features.table import BLOCKS, FAILURES, SCHEMAS, TRACKS, table_folder
from segue.catalog import content_sha256, iter_audio_files
from segue.services.java import find_java
from segue.settings import load_settings
from soaks.mutants import make_seeds, write_mutants
from soaks.process_watch import Watch, watching

CHECKOUT: Final = Path(__file__).resolve().parent.parent
ODD_AUDIO: Final = CHECKOUT.parent / "shared" / "data" / "odd_audio"
MAX_READER_MB: Final = 1024
MAX_READER_S: Final = 60
_TOLD: Final = 20
_GRACE_S: Final = 5.0
_COUNTS: Final = ("new", "known", "duplicate", "failed", "known_failures")


@dataclass(kw_only=True)
class FuzzReport:
    """What a run saw; `violations` is empty when all is well.

    Attributes
    ----------
    job : dict
        The job's own summary.
    failures : dict
        How many by stage and class.
    slowest_s, slowest_file : float, str
        The file that took longest.
    reader_peak_mb : float
        Most memory of a process that reads a file, its decoder included.
    n_processes : int
        Processes seen below the job.
    """

    n_files: int
    seed: int
    violations: list[str] = field(default_factory=list)
    job: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    slowest_s: float = 0.0
    slowest_file: str | None = None
    reader_peak_mb: float = 0.0
    n_processes: int = 0
    seconds: float = 0.0


def check_table(table: Path, contents: Mapping[str, str]) -> list[str]:
    """Return what is wrong with a table that was built of certain files.

    Parameters
    ----------
    contents : mapping
        Name of a file by the SHA-256 of its bytes.
    """
    tracks, failures = _read(table, TRACKS), _read(table, FAILURES)
    n_tracks = Counter(tracks["content_sha256"].to_pylist())
    n_failures = Counter(failures["content_sha256"].to_pylist())
    wrong = [
        f"{name}: {n_tracks[sha]} tracks and {n_failures[sha]} failures"
        for sha, name in contents.items()
        if n_tracks[sha] + n_failures[sha] != 1
    ]
    wrong += [f"{sha}: of no file" for sha in {*n_tracks, *n_failures} - {*contents}]
    for row in tracks.to_pylist():
        numbers = np.concatenate([row[name] for name in BLOCKS])
        if not (np.isfinite(numbers).all() and 0 < row["duration_s"] < np.inf):
            wrong.append(f"{row['path']}: its numbers are not finite")
    for row in failures.to_pylist():
        if not (row["stage"] and row["error_class"] and row["message"]):
            wrong.append(f"{row['path']}: a failure without a reason")
    return wrong


def count_failures(table: Path) -> dict[str, int]:
    """Return how many failures there are by stage and class, most first."""
    rows = _read(table, FAILURES).to_pylist()
    counts = Counter(f"{row['stage']}/{row['error_class']}" for row in rows)
    return dict(counts.most_common())


def contents_of(paths: Iterable[Path]) -> dict[str, str]:
    """Return the name of a file by the SHA-256 of its bytes."""
    return {content_sha256(path): path.name for path in paths}


def run_fuzz(n_files: int, seed: int, folder: Path) -> FuzzReport:
    """Write mutated files below `folder`, run the job on them, and look at it all."""
    start = time.monotonic()
    report = FuzzReport(n_files=n_files, seed=seed)
    music, home = folder / "music", folder / "home"
    seeds = make_seeds(ODD_AUDIO if ODD_AUDIO.is_dir() else None)
    written = write_mutants(music, seeds, n_files, np.random.default_rng(seed))
    for _ in tqdm(written, "writing", n_files, unit="file"):
        pass
    watch, out, status = _run_job(music, home)
    if status != 0:
        report.violations.append(f"the job ended with status {status}")
    report.job = json.loads(out or "{}")
    table = table_folder(home, FeatureSpec())
    listed = list(iter_audio_files(music))
    report.violations += _check_counts(report.job, len(listed))
    report.violations += check_table(table, contents_of(tqdm(listed, "checking")))
    report.violations += _check_processes(watch)
    report.failures = count_failures(table)
    report.slowest_s = round(watch.slowest_s, 2)
    report.slowest_file = watch.slowest_file
    report.reader_peak_mb = round(watch.reader_peak_mb)
    report.n_processes = len(watch.seen)
    report.seconds = round(time.monotonic() - start, 1)
    return report


def _run_job(music: Path, home: Path) -> tuple[Watch, str, int]:
    """Run the job as `segue features build` does; return what it printed, and how."""
    java = find_java(load_settings(os.environ).spark.java_home)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SEGUE_")}
    environ = {
        **kept,
        "JAVA_HOME": str(java.resolve().parent.parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SEGUE_HOME": str(home),
    }
    with subprocess.Popen(  # noqa: S603 - our own job
        [sys.executable, CHECKOUT / "features" / "job.py", music],
        env=environ,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    ) as job:
        try:
            with watching(job.pid, music.resolve()) as watch:
                out, _ = job.communicate()
        finally:
            job.terminate()  # no harm when it has ended; Ctrl-C shall end it, too
        return watch, out, job.returncode


def _check_counts(job: Mapping[str, Any], n_listed: int) -> list[str]:
    n_told = sum(job.get(name, 0) for name in _COUNTS)
    if job.get("found") == n_told == n_listed:
        return []
    return [f"{n_listed} files, {job.get('found')} found, {n_told} accounted for"]


def _check_processes(watch: Watch) -> list[str]:
    wrong = []
    if watch.reader_peak_mb > MAX_READER_MB:
        wrong.append(f"a process took {watch.reader_peak_mb:.0f} MB")
    if watch.slowest_s > MAX_READER_S + _GRACE_S:
        wrong.append(f"{watch.slowest_file} took {watch.slowest_s:.0f} s")
    _, left = psutil.wait_procs(watch.left_behind(), timeout=_GRACE_S)
    return wrong + [f"left behind: {process}" for process in left]


def _read(table: Path, name: str) -> pa.Table:
    if not (table / name).is_dir():
        return SCHEMAS[name].empty_table()
    dataset = ds.dataset(table / name, format="parquet", schema=SCHEMAS[name])
    return dataset.to_table()


@click.command()
@click.option("--files", "n_files", default=10_000, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Same seed, same files.")
@click.option("--json", "target", type=click.File("w"), default="-", help="Where to.")
@click.option("--keep", is_flag=True, help="Keep the files also when all is well.")
def main(n_files: int, seed: int, target: Any, keep: bool) -> None:
    """Run the feature job on mutated audio files and check all that it promises.

    Prints a report as JSON. Exit status 1 when a promise was broken; then the files
    are kept, and the report says where.
    """
    folder = Path(tempfile.mkdtemp(prefix="segue-fuzz-"))
    report = run_fuzz(n_files, seed, folder)
    n_more = len(report.violations) - _TOLD
    if n_more > 0:
        report.violations[_TOLD:] = [f"… and {n_more} more"]
    told = asdict(report)
    if report.violations or keep:
        told["folder"] = str(folder)
    else:
        shutil.rmtree(folder)
    click.echo(json.dumps(told, indent=1), file=target)
    if report.violations:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

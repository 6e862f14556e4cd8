"""What Spark adds to the bare function: the job beside plain processes."""

import os
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

import psutil
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from features.analysis import analyse
from features.extract import TableBuilder
from features.job import create_session
from features.spec import FeatureSpec
from segue.catalog import iter_audio_files
from segue.clock import system_clock
from segue.services.java import find_java
from segue.settings import Settings, load_settings

_N_CORES: Final = 2


def measure_spark(
    music: Path, work: Path, n_tracks: int, rounds: int
) -> dict[str, Any]:
    """Return the least wall time of the rounds for both ways, and their ratio."""
    paths = sorted(iter_audio_files(music), key=lambda p: p.stat().st_size)
    library = _linked(paths[-n_tracks:], work / "library")
    settings = load_settings(os.environ).model_copy(update={"home": work / "home"})
    java = find_java(settings.spark.java_home)
    os.environ["JAVA_HOME"] = str(java.resolve().parent.parent)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    bare_s, job_s, busy = [], [], []
    for number in tqdm(range(rounds), "rounds"):
        bare_s.append(_bare(library))
        seconds, share = _job(library, settings, work / f"table-{number}")
        job_s.append(seconds)
        busy.append(share)
    return {
        "spark_tracks": len(list(library.iterdir())),
        "spark_overhead": round(min(job_s) / min(bare_s) - 1, 3),
        "bare_s": [round(s, 1) for s in bare_s],
        "spark_job_s": [round(s, 1) for s in job_s],
        "cores_busy": [round(share, 2) for share in busy],
        "tracks_per_s": round(len(list(library.iterdir())) / min(job_s), 2),
    }


def _linked(paths: list[Path], folder: Path) -> Path:
    folder.mkdir()
    for number, path in enumerate(paths):
        shutil.copyfile(path, folder / f"{number:04d}{path.suffix}")
    return folder


def _bare(library: Path) -> float:
    paths = sorted(library.iterdir(), key=lambda p: -p.stat().st_size)
    with ProcessPoolExecutor(_N_CORES, initializer=_one_thread) as pool:
        list(pool.map(_warm, paths[:_N_CORES]))
        start = time.monotonic()
        for _ in pool.map(_analysed, paths):
            pass
        return time.monotonic() - start


def _one_thread() -> None:
    threadpool_limits(limits=1)  # as Spark's workers have it


def _warm(path: Path) -> None:
    analyse(str(path), FeatureSpec())


def _analysed(path: Path) -> int:
    return len(analyse(str(path), FeatureSpec()).blocks)


def _job(library: Path, settings: Settings, table: Path) -> tuple[float, float]:
    """Return wall time of the build, and the cores that were busy on average."""
    spark = create_session(settings, submitted=False)
    spark.sparkContext.setLogLevel("ERROR")
    try:
        builder = TableBuilder(
            spark, table, FeatureSpec(), settings.features, system_clock, print
        )
        start, cpu_start = time.monotonic(), _cpu_s()
        built = builder.build(library)
        seconds = time.monotonic() - start
        busy = (_cpu_s() - cpu_start) / seconds
    finally:
        spark.stop()
    if built.summary.failed:
        raise RuntimeError(f"{built.summary.failed} tracks failed; choose other music")
    return seconds, busy


def _cpu_s() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.system)

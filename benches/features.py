"""What audio → vector costs, each figure beside its reference, measured in turns.

Speed is CPU time of one thread over at least 12 real tracks: half of them OGG, a
quarter MP3 and a quarter FLAC, as found or encoded by ffmpeg; the ways are taken in
turns, track by track, and the least of the rounds counts. Memory is the peak of a
process that does one 60-minute file and nothing else. `spark_overhead` is the wall time
of the Spark job (hashing and writing included, the start of Spark not) over that of
two plain processes that call the same function; the two are taken in turns.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from benches.audio_speed import measure_speed
from benches.audio_tracks import choose_tracks
from benches.long_file import measure_memory
from benches.spark_job import measure_spark


@click.command(help=__doc__)
@click.option(
    "--music",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default="var/real-music",
    show_default=True,
    help="Real tracks; `bin/fetch-music var/real-music` brings some.",
)
@click.option("--rounds", default=3, show_default=True)
@click.option("--tracks", "n_tracks", default=12, show_default=True)
@click.option("--spark-tracks", default=300, show_default=True)
@click.option("--only", type=click.Choice(["speed", "memory", "spark"]))
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(
    music: Path,
    rounds: int,
    n_tracks: int,
    spark_tracks: int,
    only: str | None,
    out: Any,
) -> None:
    """Measure; see the module."""
    with tempfile.TemporaryDirectory(prefix="segue-bench-") as folder:
        work = Path(folder)
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "speed": lambda: measure_speed(
                choose_tracks(music, work, n_tracks), rounds
            ),
            "memory": lambda: measure_memory(work),
            "spark": lambda: measure_spark(music, work, spark_tracks, rounds),
        }
        answer: dict[str, Any] = {}
        for name, measure in parts.items():
            if only in (None, name):
                answer |= measure()
    json.dump(answer, out, indent=1)
    out.write("\n")


if __name__ == "__main__":
    sys.exit(main())

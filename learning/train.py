"""Train a model of all listeners' plays out of the archive: `bin/submit train`.

The same as `segue train`. The stream takes the new model with its next micro-batch.
"""

import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import click
import pyarrow.dataset as ds
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from tqdm import tqdm

from learning.plays import plays_of
from learning.training import (
    track_ids_of,
    train_factors,
    train_neighbours,
    with_numbers,
)
from segue.builds import hold
from segue.clock import Clock, rfc3339, system_clock
from segue.errors import ModelError, SegueError
from segue.log import configure_logging
from segue.settings import Settings, load_settings
from segue.trained_model import FOLDER, TrainedModel, create_model, write_model
from streaming.archive import FOLDER as ARCHIVE
from streaming.archive import dates_of, event_files
from streaming.session import create_session

_LOG = logging.getLogger(__name__)
_STEPS: Final = ("plays", "factors", "neighbours", "model")


def train(
    spark: SparkSession,
    settings: Settings,
    first: date = date.min,
    last: date = date.max,
    clock: Clock = system_clock,
) -> TrainedModel:
    """Train a model of the archived events of `first` to `last`, and make it current.

    Raises
    ------
    ModelError
        When there is nothing to learn from.

    Notes
    -----
    Of two that run at the same time, the second waits for the first.
    """
    dates = [day for day in dates_of(settings.home / ARCHIVE) if first <= day <= last]
    if not dates:
        raise ModelError(
            f"no events of these dates are archived in {settings.home / ARCHIVE}; the "
            "stream archives what is played, and `segue import` what was"
        )
    folder = settings.home / FOLDER
    with hold(folder), _work_folder(folder) as work:
        model = _trained(spark, settings, dates, work, clock)
        write_model(folder, model)
    return model


def _trained(
    spark: SparkSession,
    settings: Settings,
    dates: Sequence[date],
    work: Path,
    clock: Clock,
) -> TrainedModel:
    ours, seconds = settings.learning, dict[str, float]()
    files = event_files(settings.home, dates)
    n_events = ds.dataset(files, format="parquet").count_rows()
    with tqdm(total=len(_STEPS), desc="train", file=sys.stderr) as bar:

        @contextmanager
        def step(name: str) -> Iterator[None]:
            bar.set_postfix_str(name)
            start = time.monotonic()
            yield
            seconds[name] = round(time.monotonic() - start, 2)
            bar.update()

        with step("plays"):
            said, numbered = str(work / "plays"), work / "numbered"
            plays_of(spark, settings, dates, n_events).write.parquet(said)
            track_ids = track_ids_of(spark.read.parquet(said))
            with_numbers(spark, spark.read.parquet(said), track_ids).write.parquet(
                str(numbered)
            )
            plays = spark.read.parquet(str(numbered))
            n_plays, n_listeners = plays.agg(
                F.count("*"), F.count_distinct("listener")
            ).collect()[0]
        with step("factors"):
            factors = train_factors(plays, len(track_ids), ours)
        with step("neighbours"):
            neighbours = train_neighbours(spark, numbered, len(track_ids), ours)
        with step("model"):
            facts: dict[str, Any] = {
                "trained_at": rfc3339(clock()),
                "data": {
                    "first_date": dates[0].isoformat(),
                    "last_date": dates[-1].isoformat(),
                    "n_events": n_events,
                    "n_listeners": n_listeners,
                    "n_tracks": len(track_ids),
                    "n_plays": n_plays,
                },
                "settings": ours.model_dump(),
                "blend": {
                    "collaborative": ours.collaborative_share,
                    "neighbours": ours.neighbours_share,
                },
                "seconds": seconds,
            }
            return create_model(track_ids, factors, *neighbours, facts)


@contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder that is gone afterwards; what a killed training left goes, too."""
    for left in folder.glob(".training-*"):
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=".training-", dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@click.command(help=__doc__)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]))
def main(first: datetime | None, last: datetime | None) -> None:
    """Run the job with the settings of the environment; print one line of JSON."""
    configure_logging()
    settings = load_settings(os.environ)
    try:
        spark = create_session("segue-train")
        model = train(
            spark,
            settings,
            date.min if first is None else first.date(),
            date.max if last is None else last.date(),
        )
        spark.stop()
    except SegueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(model.facts))


if __name__ == "__main__":
    sys.exit(main())

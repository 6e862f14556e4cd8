"""Train a model of all listeners' plays out of the archive: `bin/submit train`.

The same as `segue train`. The stream takes the new model with its next micro-batch.
"""

import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import pyarrow.dataset as ds
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from learning.blending import Learnt, learn_blend
from learning.evaluation.datasets import read_archived
from learning.plays import listens_of, plays_of
from learning.sequences import train_followers
from learning.steps import Steps
from learning.training import (
    track_ids_of,
    train_factors,
    train_neighbours,
    with_numbers,
)
from segue.builds import hold
from segue.clock import Clock, rfc3339, system_clock
from segue.errors import HistoryError, IndexMissingError, ModelError, SegueError
from segue.log import configure_logging
from segue.settings import LearningSettings, Settings, load_settings
from segue.track_index import read_track_index
from segue.trained_model import (
    BLENDED,
    FOLDER,
    TrainedModel,
    create_model,
    write_model,
)
from streaming.archive import dates_of, link_events
from streaming.archive_files import FOLDER as ARCHIVE
from streaming.session import create_session, end_at_interrupt

_LOG = logging.getLogger(__name__)
_TRAINING: Final = ".training"
_STEPS: Final = ("plays", "factors", "neighbours", "followers", "blend")
# with more, the shares of the settings stand: they are learned in the driver's memory
_MOST_BLENDED: Final = 3_000_000


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
    # beside the builds, and of the same file system as the archive
    with hold(folder / _TRAINING), work_folder(folder / _TRAINING) as work:
        model = learn(spark, settings, dates, work, clock)
        write_model(folder, model)
    return model


class _Prepared(NamedTuple):
    """Plays and listens in Parquet, `with_numbers`, and how many there are of what."""

    stored: Path
    listens: Path
    track_ids: list[str]
    n_pairs: int
    n_listeners: int


def learn(
    spark: SparkSession,
    settings: Settings,
    dates: Sequence[date],
    work: Path,
    clock: Clock = system_clock,
) -> TrainedModel:
    """Return a model of the archived events of some dates, which is nowhere written.

    Parameters
    ----------
    dates : sequence of date
        At least one, ascending, of which events are archived.
    work : Path
        Empty folder of the archive's file system.

    Raises
    ------
    ModelError
        When there is nothing to learn from.
    """
    ours, steps = settings.learning, Steps("train", _STEPS)
    links = work / "events"
    links.mkdir()
    files = link_events(settings.home, dates, links)
    n_events = ds.dataset(files, format="parquet").count_rows()
    with steps.take("plays"):
        ready = _prepared(spark, settings, files, n_events, work)
    n_tracks = len(ready.track_ids)
    with steps.take("factors"):
        plays = spark.read.parquet(str(ready.stored))
        factors = train_factors(plays, n_tracks, ours)
    with steps.take("neighbours"):
        neighbours = train_neighbours(spark, ready.stored, n_tracks, ours)
    with steps.take("followers"):
        followers = train_followers(spark, ready.listens, n_tracks, ours)
    with steps.take("blend"):
        blend = None
        if n_events <= _MOST_BLENDED:
            blend = _blend(spark, settings, dates)
    facts: dict[str, Any] = {
        "trained_at": rfc3339(clock()),
        "data": {
            "first_date": dates[0].isoformat(),
            "last_date": dates[-1].isoformat(),
            "n_events": n_events,
            "n_listeners": ready.n_listeners,
            "n_tracks": n_tracks,
            "n_pairs": ready.n_pairs,
        },
        "settings": ours.model_dump(),
        "blend": _shares_of(ours) if blend is None else dict(blend.shares),
        "blend_from": "settings" if blend is None else "plays",
        "metrics": None if blend is None else _metrics_of(blend),
        "seconds": steps.seconds,
    }
    return create_model(ready.track_ids, factors, neighbours, followers, facts)


def _prepared(
    spark: SparkSession,
    settings: Settings,
    files: Sequence[str],
    n_events: int,
    work: Path,
) -> _Prepared:
    heard, said = str(work / "heard"), str(work / "said")
    listens_of(spark, settings, files, n_events).write.parquet(heard)
    plays_of(spark.read.parquet(heard)).write.parquet(said)
    plays = spark.read.parquet(said)
    track_ids = track_ids_of(plays)
    stored, listens = work / "plays", work / "listens"
    for each, at in ((plays, stored), (spark.read.parquet(heard), listens)):
        with_numbers(spark, each, track_ids).write.parquet(str(at))
    counts = spark.read.parquet(str(stored)).agg(
        F.count("*"), F.count_distinct("listener")
    )
    return _Prepared(stored, listens, track_ids, *counts.collect()[0])


def _blend(
    spark: SparkSession, settings: Settings, dates: Sequence[date]
) -> Learnt | None:
    """Return the shares that the plays give, None where they are not fit for that."""
    try:
        index = read_track_index(settings.home / "index")
        plays = read_archived(settings, dates)
    except (IndexMissingError, HistoryError):
        return None
    return learn_blend(spark, settings.learning, plays, index)


def _metrics_of(blend: Learnt) -> dict[str, Any]:
    return {"ndcg": dict(blend.ndcg), "n_listeners": blend.n_listeners}


def _shares_of(settings: LearningSettings) -> dict[str, float]:
    return {name: getattr(settings, f"{name}_share") for name in BLENDED}


@contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder that is gone afterwards; what a killed training left goes, too."""
    for left in folder.glob("*/"):
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(dir=folder))
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
        end_at_interrupt()
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

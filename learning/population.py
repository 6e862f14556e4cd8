"""Count what all listeners did together, out of the archive: `bin/submit population`.

The same as `segue population`: sessions by date, who came back by first week, and
clusters of tastes, for the analytics page of listeners. It tells of no group of fewer
than five people. It may run beside the stream, each night; another run replaces all.
"""

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import click
import pyarrow.dataset as ds
from pymongo.database import Database
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from learning.clusters import (
    Signs,
    TasteSource,
    Vectors,
    centres_of,
    signs_of,
    with_clusters,
    with_vectors,
)
from learning.population_documents import (
    Cell,
    Cluster,
    cluster_documents,
    cohort_documents,
    over_weeks,
    session_documents,
)
from learning.steps import Steps
from learning.train import work_folder
from learning.visits import (
    cohort_cells,
    listeners_in,
    plays_in,
    sessions_by_day,
    sessions_in,
)
from segue import store
from segue.builds import hold
from segue.clock import Clock, system_clock
from segue.errors import IndexMissingError, MongoUnreachableError, SegueError
from segue.log import configure_logging
from segue.population import RUN, population_id, week_of
from segue.services import mongo
from segue.settings import Settings, load_settings
from segue.store import Document
from segue.track_index import TrackIndex, read_track_index
from streaming.archive import dates_of, link_events
from streaming.archive_files import FOLDER as ARCHIVE
from streaming.session import create_session, end_at_interrupt

FOLDER: Final = "population"
"""Of what is needed while one counts, in the folder of all state."""
_STEPS: Final = ("plays", "sessions", "weeks", "tastes")
_KEPT: Final = StorageLevel.MEMORY_AND_DISK


class Counted(NamedTuple):
    """Documents of all kinds but `RUN`, and the seconds that each step took."""

    sessions: list[Document]
    cohorts: list[Document]
    clusters: list[Document]
    seconds: Mapping[str, float]


def count_population(
    spark: SparkSession, settings: Settings, clock: Clock = system_clock
) -> Document:
    """Count all archived plays, write `population` anew, and return a summary.

    Raises
    ------
    MongoUnreachableError
        When there is no MongoDB to write to, or it does not answer.

    Notes
    -----
    Of two that run at the same time, the second waits for the first.
    """
    if settings.mongo.uri is None:
        raise MongoUnreachableError(
            "MongoDB, where the counts go, does not run here; start it with `segue "
            "up`, or set SEGUE_MONGO_URI"
        )
    mongo.require(settings.mongo.uri.get_secret_value(), settings.mongo.timeout_ms)
    folder = settings.home / FOLDER
    with hold(folder), work_folder(folder) as work:
        now = clock()
        counted = _counted(spark, settings, work, now)
        database = store.connect(settings.mongo)
        with closing(database.client):
            _write(database, counted, now)
    return {
        "n_dates": len(counted.sessions),
        "n_first_weeks": len(counted.cohorts),
        "n_clusters": len(counted.clusters),
        "seconds": dict(counted.seconds),
    }


def _counted(
    spark: SparkSession, settings: Settings, work: Path, now: datetime
) -> Counted:
    dates = dates_of(settings.home / ARCHIVE)
    if not dates:  # all may have been forgotten
        return Counted([], [], [], {})
    steps = Steps("population", _STEPS)
    files = link_events(settings.home, dates, work)
    n_events = ds.dataset(files, format="parquet").count_rows()
    with steps.take("plays"):
        plays = plays_in(spark, files, n_events).persist(_KEPT)
        plays.count()
    with steps.take("sessions"):
        days = sessions_by_day(sessions_in(plays)).toArrow().to_pylist()
    with steps.take("weeks"):
        listeners = listeners_in(plays).persist(_KEPT)
        cells = [Cell(**row) for row in cohort_cells(listeners).toArrow().to_pylist()]
    with steps.take("tastes"):
        clusters = _clusters(listeners, settings, week_of(now.date()) - 1)
    for frame in (listeners, plays):
        frame.unpersist()
    return Counted(
        session_documents(days),
        cohort_documents(cells, week_of(now.date())),
        clusters,
        steps.seconds,
    )


def _clusters(
    listeners: DataFrame, settings: Settings, last_week: int
) -> list[Document]:
    """Return the clusters of tastes; none without a track index."""
    folder = settings.home / "index"
    try:
        index = read_track_index(folder)
    except IndexMissingError:
        return []
    source = TasteSource(settings.mongo, folder, index.version, index.lineage)
    tastes = with_vectors(listeners, source).persist(_KEPT)
    try:
        centres = centres_of(tastes, tastes.count())
        if not len(centres):
            return []
        found = _cluster_facts(with_clusters(tastes, centres), last_week)
        return cluster_documents(found, _signs(centres, index, settings), [*centres])
    finally:
        tastes.unpersist()


def _cluster_facts(assigned: DataFrame, last_week: int) -> Sequence[Cluster]:
    sizes: dict[int, dict[int, int]] = defaultdict(dict)
    plays, skips = Counter[int](), Counter[int]()
    by_first = assigned.groupBy("cluster", "first_week").agg(
        F.count("*"), F.sum("n_plays"), F.sum("n_skipped")
    )
    for cluster, first, n, n_plays, n_skipped in by_first.collect():
        sizes[cluster][first] = n
        plays[cluster] += n_plays
        skips[cluster] += n_skipped
    played = _played(assigned, last_week)
    return [
        Cluster(
            sum(sizes[n].values()),
            plays[n],
            skips[n],
            *over_weeks(sizes[n], played[n], last_week),
        )
        for n in sorted(sizes)
    ]


def _played(assigned: DataFrame, last_week: int) -> Mapping[int, Mapping[int, int]]:
    """Return how many of each cluster played, by weeks since their first play."""
    weeks = assigned.select("cluster", "first_week", F.explode("weeks").alias("week"))
    since = (F.col("week") - F.col("first_week")).alias("since")
    counted = weeks.where(F.col("week") <= last_week).groupBy("cluster", since).count()
    played: dict[int, dict[int, int]] = defaultdict(dict)
    for cluster, n_weeks, n in counted.collect():
        played[cluster][n_weeks] = n
    return played


def _signs(centres: Vectors, index: TrackIndex, settings: Settings) -> list[Signs]:
    database = store.connect(settings.mongo)
    with closing(database.client):
        return signs_of(centres, index, database)


def _write(database: Database[Document], counted: Counted, now: datetime) -> None:
    """Write all documents, and take away those that are no more."""
    run = {"_id": population_id(RUN), "kind": RUN}
    found = [*counted.sessions, *counted.cohorts, *counted.clusters, run]
    store.upsert(
        database, store.POPULATION, [each | {"made_at": now} for each in found]
    )
    there = [each["_id"] for each in found]
    database[store.POPULATION].delete_many({"_id": {"$nin": there}})


@click.command(help=__doc__)
def main() -> None:
    """Run the job with the settings of the environment; print one line of JSON."""
    configure_logging()
    settings = load_settings(os.environ)
    try:
        spark = create_session("segue-population")
        end_at_interrupt()
        summary: dict[str, Any] = count_population(spark, settings)
        spark.stop()
    except SegueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(summary))


if __name__ == "__main__":
    sys.exit(main())

"""Replay the archive through the stream's code: what lists were worth at each play.

Prequential: each play is asked for first, of the list that the stream would have had
just before it, and counts afterwards. Two rankers see the same plays.
"""

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from learning.evaluation.options import Asked
from learning.evaluation.rankers import Ranker, rankers_of
from learning.evaluation.replay_report import report_of
from learning.evaluation.replaying import Replay, replaying
from learning.evaluation.sums import TOLD
from learning.train import learn, work_folder
from models.listens import PLAY_ACTIONS
from segue.builds import hold
from segue.errors import HistoryError, ModelError
from segue.settings import Settings
from segue.track_index import TrackIndex, read_track_index
from segue.trained_model import FOLDER as MODELS
from segue.trained_model import TrainedModel, write_model
from streaming.archive import dates_of, event_files, link_events
from streaming.archive_files import FOLDER as ARCHIVE
from streaming.schemas import EVENT_FIELDS

_LOG = logging.getLogger(__name__)
_DAY: Final = timedelta(days=1)
_PERIOD_SHARE: Final = 0.1
_EVENTS_PER_PART: Final = 200_000
# beside the builds, and of the same file system as the archive
_SCRATCH: Final = ".replaying"


class Period(NamedTuple):
    """What is replayed.

    Attributes
    ----------
    before : list of date
        Dates of the archive before it: what listeners had done already.
    dates : list of date
        Dates of the archive in it, at least one.
    first, last : date
        Its ends, both included.
    """

    before: list[date]
    dates: list[date]
    first: date
    last: date


def replay(
    spark: SparkSession, settings: Settings, asked: Asked, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Return the report of a replay, as JSON takes it.

    Raises
    ------
    SegueError
        When there is nothing to replay, no index, or a ranker that cannot be.

    Notes
    -----
    Of two that run at the same time, the second waits for the first.
    """
    rankers = rankers_of(settings, asked.against)
    index = read_track_index(settings.home / "index")
    period = period_of(settings.home / ARCHIVE, asked)
    folder = settings.home / MODELS / _SCRATCH
    with hold(folder), work_folder(folder) as work:
        tell("learn from before")
        model, why = _learned(spark, settings, period.before, work)
        if model is not None:
            _check_blends(rankers, model)
        version = None if model is None else model.version
        job = Replay(
            *(settings, rankers, period.first, period.last),
            *(index.version, work / "models", version),
        )
        tell("replay the plays")
        told = _told(spark, job, period, asked.n_listeners, work)
    tell("judge")
    facts = _facts(period, asked, index, model, why)
    return report_of(told, rankers, facts, model, len(index.track_ids))


def period_of(folder: Path, asked: Asked) -> Period:
    """Return the dates that are asked for; else the latest tenth of the events.

    Raises
    ------
    HistoryError
        When the archive holds nothing of them.
    """
    dates = dates_of(folder)
    if not dates:
        raise HistoryError(
            f"nothing is archived in {folder}; the stream archives what is played, and "
            "`segue import` what was"
        )
    last = asked.last or dates[-1]
    until = [day for day in dates if day <= last]
    first = asked.first or (_latest(folder, until) if until else last)
    chosen = [day for day in until if first <= day]
    if not chosen:
        raise HistoryError(
            f"no events of {first} to {last} are archived in {folder}, which holds "
            f"{dates[0]} to {dates[-1]}; say other dates by --from and --to"
        )
    return Period([day for day in dates if day < first], chosen, first, last)


def _latest(folder: Path, dates: Sequence[date]) -> date:
    """Return the first of the latest dates that hold a tenth of the events, or one."""
    n_events = [_n_events(event_files(folder.parent, [day])) for day in dates]
    since = np.cumsum(n_events[::-1])
    n_dates = int((since <= _PERIOD_SHARE * since[-1]).sum())
    return dates[-max(1, n_dates)]


def _n_events(files: Sequence[str]) -> int:
    return int(ds.dataset(list(files), format="parquet").count_rows())


def _learned(
    spark: SparkSession, settings: Settings, dates: Sequence[date], work: Path
) -> tuple[TrainedModel | None, str | None]:
    """Return a model of what lies before, for this replay only; or why not."""
    if not dates:
        return None, "nothing is archived before the replayed dates"
    scratch = work / "learning"
    scratch.mkdir()
    try:
        model = learn(spark, settings, dates, scratch)
    except ModelError as error:
        _LOG.warning("replayed without a model: %s", error)
        return None, str(error)
    write_model(work / "models", model)
    return model, None


def _check_blends(rankers: Iterable[Ranker], model: TrainedModel) -> None:
    for ranker in rankers:
        ranker.blend_of(model.blend)


def _told(
    spark: SparkSession,
    job: Replay,
    period: Period,
    n_listeners: int | None,
    work: Path,
) -> pa.Table:
    """Return the rows of all workers, of shape `TOLD`."""
    links = work / "events"
    links.mkdir()
    # a play that begins in the last night ends after it
    days = [*period.before, *period.dates]
    after = [
        d for d in dates_of(job.settings.home / ARCHIVE) if d == period.last + _DAY
    ]
    files = link_events(job.settings.home, [*days, *after], links)
    events = spark.read.schema(StructType([*EVENT_FIELDS])).parquet(*files)
    n_parts = max(
        spark.sparkContext.defaultParallelism,
        math.ceil(_n_events(files) / _EVENTS_PER_PART),
    )
    by_listener = (
        events.join(players(events, period, n_listeners), "user_id", "left_semi")
        .repartition(n_parts, "user_id")
        .sortWithinPartitions("user_id")
    )
    return by_listener.mapInArrow(replaying(job), TOLD).toArrow()


def players(events: DataFrame, period: Period, n_listeners: int | None) -> DataFrame:
    """Return who played anything in the period, or a sample that is always the same."""
    since = datetime.combine(period.first, time(), UTC)
    until = datetime.combine(period.last, time(), UTC) + _DAY
    at = F.col("event_time")
    plays = events.where(F.col("action").isin(sorted(PLAY_ACTIONS)))
    players = plays.where((at >= since) & (at < until)).select("user_id").distinct()
    if n_listeners is None:
        return players
    return players.orderBy(F.xxhash64("user_id"), "user_id").limit(n_listeners)


def _facts(
    period: Period,
    asked: Asked,
    index: TrackIndex,
    model: TrainedModel | None,
    why: str | None,
) -> dict[str, Any]:
    learned: Mapping[str, Any] = {} if model is None else model.facts["data"]
    return {
        "name": "archive",
        "first_date": period.first.isoformat(),
        "last_date": period.last.isoformat(),
        "n_dates": len(period.dates),
        "n_dates_before": len(period.before),
        "sample": asked.n_listeners,
        "index_version": index.version,
        "n_tracks": len(index.track_ids),
        "model": dict(learned) or None,
        "no_model": why,
    }

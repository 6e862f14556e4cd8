"""A replay by Spark: the same as by one process, and it leaves nothing behind."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from learning.evaluation.options import Asked
from learning.evaluation.rankers import rankers_of
from learning.evaluation.replay import period_of, players, replay
from learning.evaluation.replay_report import report_of
from segue.builds import builds_of, current_version
from segue.errors import HistoryError, IndexMissingError
from segue.track_index import write_track_index
from segue.trained_model import FOLDER as MODELS
from segue.trained_model import write_model
from streaming.archive import archived_events, dates_of
from streaming.archive_files import FOLDER
from tests.learning.archives import archive, event
from tests.learning.evaluation.replays import (
    FIRST_DAY,
    camp_index,
    day,
    listeners_of,
    settings_of,
    some_events,
    stage_with,
    told_by,
)
from tests.models.models import create_trained

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
INDEX = camp_index()
USERS = [f"u{number:03d}" for number in range(32)]
EVENTS = some_events(len(USERS), 20)
AGAINST = ("model=none", "taste.variety=0")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose current model was learned from what is replayed, too."""
    home = tmp_path_factory.mktemp("by-spark")
    archive(home, EVENTS)
    write_track_index(home / "index", INDEX)
    write_model(home / MODELS, create_trained(INDEX, n_known=60))
    return home


@pytest.fixture(scope="module")
def told(home: Path, spark: "SparkSession") -> dict[str, Any]:
    steps = list[str]()
    asked = Asked(first=day(6), against=AGAINST)
    report = replay(spark, settings_of(home), asked, steps.append)
    assert len(steps) == 3
    return dict(report["replay"])


def test_spark_tells_what_one_process_does(told: dict[str, Any], home: Path) -> None:
    rankers = rankers_of(settings_of(home), AGAINST)
    stage = stage_with(INDEX, rankers)
    listeners = listeners_of(home, USERS, day(6), day(7), stage)
    here = told_by(listeners, rankers, stage)
    alone = report_of(here, rankers, told["data"], None, len(INDEX.track_ids))["replay"]
    assert alone["data"] == told["data"]
    assert alone["rankers"]["b"]["tasks"] == told["rankers"]["b"]["tasks"]
    assert told["rankers"]["a"]["tasks"] != alone["rankers"]["a"]["tasks"]
    assert told["data"]["n_listeners"] == sum(
        bool(each.plays or each.n_silent) for each in listeners
    )


def test_the_model_knows_nothing_of_the_replayed_dates(
    told: dict[str, Any], home: Path
) -> None:
    learned = told["data"]["model"]
    assert (learned["first_date"], learned["last_date"]) == ("2026-05-01", "2026-05-06")
    assert told["data"]["first_date"] == "2026-05-07"
    before = [e for e in EVENTS if e["event_time"].date() < day(6)]
    assert learned["n_events"] == len(before) < len(EVENTS)
    a, b = (told["rankers"][name]["settings"] for name in "ab")
    assert a["model"] not in (None, current_version(home / MODELS))
    assert (b["model"], b["blend"]) == (None, None)


def test_the_registry_is_as_it_was(told: dict[str, Any], home: Path) -> None:
    assert told["data"]["no_model"] is None
    ours = create_trained(INDEX, n_known=60).version
    assert [build.name for build in builds_of(home / MODELS)] == [ours]
    assert current_version(home / MODELS) == ours
    assert not list((home / MODELS / ".replaying").glob("*/"))


def test_without_anything_before_there_is_no_model_and_a_sample_is_told(
    home: Path, spark: "SparkSession"
) -> None:
    asked = Asked(first=day(0), last=day(2), n_listeners=5)
    report = replay(spark, settings_of(home), asked, lambda _: None)["replay"]
    assert report["data"]["no_model"].startswith("nothing is archived before")
    assert (report["data"]["sample"], report["data"]["n_listeners"]) == (5, 5)
    assert report["rankers"].keys() == {"a"}
    assert (report["gains"], report["verdicts"]) == ([], [])
    # none of them has a list before their first play
    assert report["rankers"]["a"]["tasks"]["any"]["cold"]["n_cold_start"] > 0


def test_a_sample_is_always_the_same(home: Path, spark: "SparkSession") -> None:
    settings, asked = settings_of(home), Asked(first=day(5))
    folder = home / FOLDER
    events = archived_events(spark, settings, dates_of(folder))
    period = period_of(folder, asked)

    def drawn(n: int) -> list[str]:
        found = players(events.repartition(n), period, n).collect()
        return [row["user_id"] for row in found]

    assert len(drawn(4)) == 4
    assert {*drawn(4)} < {*drawn(7)} < set(USERS)
    names = spark.createDataFrame([(user,) for user in USERS], "user_id string")
    hashes = names.selectExpr("user_id", "xxhash64(user_id) AS hash").collect()
    smallest = sorted((row["hash"], row["user_id"]) for row in hashes)[:7]
    assert sorted(drawn(7)) == sorted(user for _, user in smallest)


def test_too_little_to_learn_from_is_said(
    tmp_path: Path, spark: "SparkSession"
) -> None:
    skips = [
        event("ada", "0-00", "skipped", event_time=FIRST_DAY, played_ms=0),
        event("ada", "0-01", event_time=FIRST_DAY.replace(day=3)),
    ]
    settings = settings_of(tmp_path)
    with pytest.raises(IndexMissingError):
        replay(spark, settings, Asked(), lambda _: None)
    write_track_index(tmp_path / "index", INDEX)
    with pytest.raises(HistoryError, match="nothing is archived"):
        replay(spark, settings, Asked(), lambda _: None)
    archive(tmp_path, skips)
    report = replay(spark, settings, Asked(), lambda _: None)["replay"]
    assert "heard to more than the half" in report["data"]["no_model"]
    assert report["data"]["n_plays"] == 1
    assert report["rankers"]["a"]["settings"]["model"] is None

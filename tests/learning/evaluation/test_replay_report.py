"""What a replay says of two rankers, and what it refuses; without Spark."""

import json
import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pyspark.sql.pandas.types import to_arrow_schema

from dashboard.analytics.offline import body, read_offline
from learning import evaluate as job
from learning.evaluation.histories import ReplayedPlay
from learning.evaluation.options import Asked, args_of
from learning.evaluation.rankers import rankers_of
from learning.evaluation.replay import period_of
from learning.evaluation.replay_page import lines_of, render_replay
from learning.evaluation.replay_report import report_of
from learning.evaluation.rounds import Judged, Place
from learning.evaluation.sums import TOLD, Sums
from models.learned import Blend
from segue.cli import main as segue
from segue.errors import HistoryError, ModelError, SettingsError
from segue.reports import keep_report
from segue.settings import Settings
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
from tests.models.models import create_learned

INDEX = camp_index()
USERS = [f"u{number:03d}" for number in range(36)]
FACTS = {
    "name": "archive",
    "first_date": "2026-05-05",
    "last_date": "2026-05-08",
    "n_dates": 4,
    "n_dates_before": 4,
    "sample": None,
    "index_version": "camps",
    "n_tracks": len(INDEX.track_ids),
    "model": None,
    "no_model": "<b>nothing</b> is archived",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("reported")
    archive(home, some_events(len(USERS), 24))
    return home


def report_with(home: Path, *against: str) -> dict[str, Any]:
    rankers = rankers_of(settings_of(home), against)
    stage = stage_with(INDEX, rankers, create_learned(INDEX))
    listeners = listeners_of(home, USERS, day(4), day(7), stage)
    told = told_by(listeners, rankers, stage)
    report = report_of(told, rankers, FACTS, None, len(INDEX.track_ids))
    return dict(report["replay"])


@pytest.fixture(scope="module")
def worse(home: Path) -> dict[str, Any]:
    """A list of a single track against one of twenty."""
    return report_with(home, "taste.n_recommendations=1")


def test_equal_settings_gain_exactly_nothing(home: Path) -> None:
    told = report_with(home, "taste.variety=0.1")
    assert told["rankers"]["a"]["tasks"] == told["rankers"]["b"]["tasks"]
    assert len(told["gains"]) > 20
    for gain in told["gains"]:
        assert (gain["value"], gain["low"], gain["high"]) == (0, 0, 0)
    assert not any(each["holds"] for each in told["verdicts"])


def test_a_worse_ranker_is_told_as_worse(worse: dict[str, Any]) -> None:
    verdicts = {(each["task"], each["slice"]): each for each in worse["verdicts"]}
    told = verdicts["any", "all"]
    assert (told["claim"], told["holds"], told["why"]) == (
        "b > a",
        False,
        "it is worse",
    )
    assert told["gain"]["high"] < 0
    assert told["n"] == len(USERS)
    # … but it has hardly any of what they skip
    spared = verdicts["skips", "all"]
    assert (spared["holds"], spared["metric"]) == (True, "skip_hit_rate")
    gains = {(g["task"], g["slice"], g["metric"]): g for g in worse["gains"]}
    assert gains["skips", "all", "skip_hit_rate"]["value"] == -spared["gain"]["value"]


def test_counts_add_up_to_the_plays(worse: dict[str, Any], home: Path) -> None:
    data = worse["data"]
    rankers = rankers_of(settings_of(home), ())
    listeners = listeners_of(home, USERS, day(4), day(7), stage_with(INDEX, rankers))
    n_plays = sum(len(each.plays) + each.n_silent for each in listeners)
    assert data["n_plays"] == data["n_for"] + data["n_against"] + data["n_silent"]
    assert data["n_plays"] == n_plays > 300
    for each in worse["rankers"].values():
        tasks = each["tasks"]
        assert tasks["any"]["all"]["n_plays"] == data["n_for"]
        assert tasks["skips"]["all"]["n_plays"] == data["n_against"]
        for task in ("any", "discovery", "skips"):
            for row in tasks[task].values():
                assert row["n_plays"] == sum(row[place] for place in Place)
            whole, *parts = (tasks[task][part] for part in ("all", "warm", "cold"))
            assert whole["n_plays"] == sum(part["n_plays"] for part in parts)
        assert tasks["discovery"]["all"]["n_plays"] < data["n_for"]
        assert tasks["any"]["all"]["n_excluded"] > 0
        assert tasks["any"]["all"]["n_not_indexed"] > 0


def test_the_sums_of_a_listener_by_hand() -> None:
    """Ranks 1, 3 and 11, a miss, and a skip at rank 2; five tracks heard, or six."""
    sums = Sums()
    for n_heard, rank, weight in (
        (5, 3, 1.0),
        (5, None, 0.4),
        (6, 11, 1.0),
        (6, 1, 0.2),
        (6, 2, -0.9),
    ):
        play = ReplayedPlay("0-00", weight, 9, n_heard, n_heard == 6)
        place = Place.MISSED if rank is None else Place.IN_LIST
        nothing = np.empty(0, np.int32)
        sums.add(Judged("ada", "a", play, nothing, rank, place, None))
    rows = {(x["task"], x["slice"]): x for x in sums.batch().to_pylist()}
    assert {key: row["n"] for key, row in rows.items()} == {
        ("any", "cold"): 2,
        ("any", "warm"): 2,
        ("discovery", "warm"): 2,
        ("skips", "warm"): 1,
    }
    cold = [1.0, 1.0, 1 / 3, 0.5, 1.0, 1.0, 0, 0, 0]
    warm = [2.0, 1.0, 1 + 1 / 11, 1 + 1 / math.log2(12), 2.0, 0, 0, 0, 0]
    assert rows["any", "cold"]["sums"] == pytest.approx(cold)
    assert rows["any", "warm"]["sums"] == pytest.approx(warm)
    assert rows["discovery", "warm"]["sums"] == pytest.approx(warm)
    assert rows["skips", "warm"]["sums"] == [1.0, 1.0, 0, 0, 0, 0]


def test_each_listener_counts_once_by_hand() -> None:
    """Ada has one hit at rank 3 and one miss; bob three hits at rank 1, ten later."""

    def row(user: str, part: str, n: int, sums: list[float]) -> dict[str, Any]:
        of = {"user_id": user, "ranker": "a", "task": "any", "slice": part}
        return {**of, "n": n, "sums": sums, "listed": None}

    hit = [1.0, 1.0, 1 / 3, 1 / math.log2(4), 1.0, 0, 0, 0, 0]
    miss = [0.0, 0, 0, 0, 0, 1, 0, 0, 0]
    first = [3.0, 3.0, 3.0, 3.0, 3.0, 0, 0, 0, 0]
    later = [10.0, 0.0, 1.0, 2.0, 10.0, 0, 0, 0, 0]
    bits = np.packbits(np.arange(len(INDEX.track_ids)) < 9).tobytes()
    others = np.packbits(np.arange(len(INDEX.track_ids)) == 71).tobytes()
    part = row("ada", "all", 9, []) | {"user_id": None, "task": "lists", "sums": None}
    rows = [
        row("ada", "cold", 1, hit),
        row("ada", "warm", 1, miss),
        row("bob", "warm", 3, first),
        row("cem", "warm", 10, later),
        part | {"listed": bits},
        part | {"listed": others},
    ]
    told = pa.Table.from_pylist(rows, schema=to_arrow_schema(TOLD))
    rankers = rankers_of(Settings(), ())
    tasks = report_of(told, rankers, FACTS, None, 72)["replay"]["rankers"]["a"]["tasks"]
    whole = tasks["any"]["all"]
    assert (whole["n"], whole["n_plays"]) == (3, 15)
    assert whole["hit_rate"]["value"] == pytest.approx((0.5 + 1 + 1) / 3, abs=1e-6)
    assert whole["hit_rate@10"]["value"] == pytest.approx((0.5 + 1 + 0) / 3, abs=1e-6)
    assert whole["mrr"]["value"] == pytest.approx((1 / 6 + 1 + 0.1) / 3, abs=1e-6)
    assert whole["ndcg"]["value"] == pytest.approx((0.25 + 1 + 0.2) / 3, abs=1e-6)
    assert tasks["any"]["cold"]["hit_rate"]["value"] == 1
    assert tasks["any"]["warm"]["hit_rate"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert tasks["lists"]["all"]["coverage"] == {
        "value": pytest.approx(10 / 72, abs=1e-6)
    }


def test_a_report_is_json_and_a_page_that_escapes(worse: dict[str, Any]) -> None:
    told = {"replay": worse}
    assert json.loads(json.dumps(told)) == told
    page = render_replay(told)
    assert "<b>nothing" not in page
    assert "&lt;b&gt;nothing" in page
    assert "nan" not in page.lower()
    assert page.count("<section>") == 2 + 4
    lines = list(lines_of(told))
    assert lines[0].startswith("2026-05-05 to 2026-05-08: ")
    assert [line[:6] for line in lines[2:]] == [
        *("a, any", "a, dis", "a, ski", "a, lis"),
        *("b, any", "b, dis", "b, ski", "b, lis"),
    ]


def test_a_report_is_kept_for_the_analysts_page(
    worse: dict[str, Any], tmp_path: Path
) -> None:
    told = {"replay": worse}
    keep_report(tmp_path, "replay", told, datetime(2026, 5, 3, tzinfo=UTC))
    found = read_offline(tmp_path)
    assert [each.found for each in found.reports] == [told]
    shown = json.dumps(body(found), default=lambda part: part.to_plotly_json())
    assert "damaged" not in shown
    judged = worse["rankers"]["b"]["tasks"]["any"]["all"]
    assert f"{judged['ndcg']['value']:.3f}" in shown
    assert "ranker b" in shown


def test_without_a_play_that_says_something_there_is_no_report() -> None:
    told = to_arrow_schema(TOLD).empty_table()
    with pytest.raises(ModelError, match="2026-05-05 to 2026-05-08 says something"):
        report_of(told, rankers_of(Settings(), ()), FACTS, None, 9)


def test_a_ranker_is_what_against_says() -> None:
    settings = Settings.model_validate({"taste": {"variety": 0.3, "n_seeds": 2}})
    a, b = rankers_of(settings, ["taste.n_seeds=0", "learning.neighbours_share = 0.5"])
    assert (a.taste, dict(a.shares), a.has_model) == (settings.taste, {}, True)
    assert (b.taste.n_seeds, b.taste.variety) == (0, 0.3)
    shares = {"collaborative": 0.1, "neighbours": 0.2, "followers": 0.3}
    assert b.blend_of(shares) == Blend(0.1, 0.5, 0.3)
    assert b.changed == {"taste.n_seeds": "0", "learning.neighbours_share": "0.5"}
    with pytest.raises(SettingsError, match="together more than 1"):
        b.blend_of(shares | {"collaborative": 0.6})
    learned = create_learned(INDEX)
    found = b.learned_of(learned)
    assert found is not None
    assert (found.blend, found.factors) == (Blend(0.3, 0.5, 0.1), learned.factors)
    as_it_is = a.learned_of(learned)
    assert as_it_is is not None
    assert as_it_is.blend == learned.blend
    assert rankers_of(settings, ["model=none"])[1].learned_of(learned) is None


@pytest.mark.parametrize(
    ("against", "words"),
    [
        ("taste.variety", "want KEY=VALUE"),
        ("taste.varety=0", "did you mean taste.variety"),
        ("variety=0", "no ranker has that"),
        ("taste.variety=2", "taste.variety=2: Input should be less than or equal to 1"),
        ("taste.variety=nan", "taste.variety=nan: Input should be"),
        ("taste.n_seeds=many", "taste.n_seeds=many: Input should be a valid integer"),
        ("learning.confidence=2", "of .learning. there are learning.collaborative_sh"),
        ("learning.neighbours_share=-1", "neighbours_share=-1: Input should be"),
        ("model=old", "want model=none"),
    ],
)
def test_what_no_ranker_has_is_refused(against: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        rankers_of(Settings(), ["taste.month_d=3", against])


def test_two_shares_and_two_words_that_contradict() -> None:
    shares = ["learning.neighbours_share=0.6", "learning.collaborative_share=0.6"]
    with pytest.raises(SettingsError, match=r"neighbours_share=0\.6.*more than 1"):
        rankers_of(Settings(), shares)
    with pytest.raises(SettingsError, match="said twice, 0 and 1"):
        rankers_of(Settings(), ["taste.variety=0", "taste.variety=1"])


def test_the_period_is_the_last_tenth_of_the_events_in_whole_dates(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "events"
    with pytest.raises(HistoryError, match="nothing is archived in"):
        period_of(folder, Asked())
    numbers = {0: 60, 1: 29, 3: 5, 4: 4, 5: 2}
    archive(
        tmp_path,
        [
            event("ada", "0-00", event_time=FIRST_DAY.replace(day=1 + number))
            for number, n in numbers.items()
            for _ in range(n)
        ],
    )
    found = period_of(folder, Asked())
    assert (found.first, found.last) == (day(4), day(5))
    assert (found.before, found.dates) == ([day(0), day(1), day(3)], [day(4), day(5)])
    # of what is until then: the last date alone is more than a tenth
    assert period_of(folder, Asked(last=day(2))).dates == [day(1)]
    some = period_of(folder, Asked(first=day(2), last=day(3)))
    assert (some.first, some.dates, some.before) == (day(2), [day(3)], [day(0), day(1)])
    assert period_of(folder, Asked(first=date(2020, 1, 1))).before == []
    for nothing in (
        Asked(first=day(9)),
        Asked(last=date(2020, 1, 1)),
        Asked(day(2), day(2)),
    ):
        with pytest.raises(HistoryError, match="2026-05-01 to 2026-05-06; say other"):
            period_of(folder, nothing)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--against", "taste.variety=0"], "--against is about a replay; add --replay"),
        (["--from", "2026-05-01"], "--from is about a replay; add --replay"),
        (["--listeners", "3"], "--listeners is about a replay; add --replay"),
        (["--replay", "--data", "movielens", "."], "leave one of the two out"),
        (["--replay", "--from", "2026-05-02", "--to", "2026-05-01"], "lies after --to"),
        (["--replay", "--against", "taste.x=0"], "no ranker has that"),
        (["--replay", "--listeners", "0"], "0 is not in the range"),
    ],
)
def test_the_verb_and_the_job_refuse_in_one_line(
    args: list[str], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEGUE_HOME", str(tmp_path))
    of_verb = CliRunner().invoke(segue, ["evaluate", *args])
    of_job = CliRunner().invoke(job.main, args)
    assert of_verb.exit_code == 2
    assert of_job.exit_code != 0
    for result in (of_verb, of_job):
        (line,) = (x for x in result.output.splitlines() if x.startswith("Error: "))
        assert words in line


def test_the_verb_hands_all_options_on() -> None:
    asked = Asked(day(1), day(2), 7, ("taste.variety=0", "model=none"))
    assert args_of(asked) == [
        *("--replay", "--from", "2026-05-02", "--to", "2026-05-03"),
        *(
            "--listeners",
            "7",
            "--against",
            "taste.variety=0",
            "--against",
            "model=none",
        ),
    ]
    assert args_of(None) == []
    help_of = CliRunner().invoke(segue, ["evaluate", "--help"]).output
    assert "--against KEY=VALUE" in help_of

"""A whole evaluation of plays whose truth is known."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashboard.analytics.offline import body, read_offline
from learning.evaluation.datasets import Dataset, Said, create_dataset
from learning.evaluation.evaluate import evaluate
from learning.evaluation.judging import Shares, ground_of, judge_all, tasks_of
from learning.evaluation.methods import Fitting, fit_all
from learning.evaluation.page import render_page
from learning.evaluation.splits import split
from learning.evaluation.verdicts import claim_of, summary_of
from models.recommenders.baselines import fit_popular
from models.recommenders.plays import Plays
from segue.errors import ModelError
from segue.reports import keep_report
from segue.settings import LearningSettings
from tests.learning.evaluation.test_recommenders import some_factors

N_CAMPS = 4
TASKS = ("discovery", "any", "new artists")


def camps(n_listeners: int = 120, n_plays: int = 40, artist: str = "artist") -> Dataset:
    """Return listeners who play what their camp plays, and now and then anything."""
    rng = np.random.default_rng(2)
    said = []
    for who in range(n_listeners):
        camp = who % N_CAMPS
        for at in range(n_plays if who % 10 else 3):
            strays = rng.random() < 0.1
            chosen = int(rng.integers(N_CAMPS)) if strays else camp
            item = int(rng.geometric(0.08)) % 40
            name = f"{chosen}-{item:02d}"
            by = f"{artist} {chosen}-{item // 4}"
            at_s = 1 + at * 1_000 + int(rng.integers(1_000))
            said.append(Said(f"u{who:03d}", name, 1.0, at_s, by))
    return create_dataset("camps", said)


def told_of(dataset: Dataset) -> dict[str, Any]:
    fitting = Fitting(LearningSettings(), some_factors, dataset.has_times)
    return evaluate(dataset, fitting, lambda _: None)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return told_of(camps())


def test_methods_find_the_camps_and_popularity_does_not(told: dict[str, Any]) -> None:
    figures = {
        name: of["discovery"]["all"]["ndcg"]
        for name, of in told["methods"].items()
        if "discovery" in of
    }
    for name in ("neighbours", "listeners alike", "ease", "hybrid"):
        assert figures[name]["low"] > figures["popular"]["high"]
    assert set(told["shares"]) == set(told["methods"]["hybrid"])
    for shares in told["shares"].values():
        assert sum(shares.values()) == pytest.approx(1.0)


def test_every_claim_is_told_with_its_gain(told: dict[str, Any]) -> None:
    claims = {
        (each["task"], each["slice"], each["claim"]): each for each in told["verdicts"]
    }
    beats = claims["discovery", "all", "neighbours > popular"]
    assert beats["holds"]
    assert beats["gain"]["low"] > 0
    assert beats["why"] is None
    worse = [each for each in told["verdicts"] if not each["holds"]]
    assert all(each["why"] for each in worse)
    assert {each["task"] for each in told["verdicts"]} == {
        *("discovery", "any", "new artists", "continuation", "radio")
    }


def test_a_report_is_json_and_a_page_that_escapes(told: dict[str, Any]) -> None:
    assert json.loads(json.dumps(told)) == told
    page = render_page({**told, "data": {**told["data"], "name": "<script>x</script>"}})
    assert "<script>" not in page
    assert "&lt;script&gt;x" in page
    assert "nan" not in page.lower()
    assert page.count("<section>") == 2 + 5


def test_a_report_is_kept_for_the_analysts_page(
    told: dict[str, Any], tmp_path: Path
) -> None:
    keep_report(tmp_path, "evaluation", told, datetime(2026, 5, 3, tzinfo=UTC))
    found = read_offline(tmp_path)
    assert [each.found for each in found.reports] == [told]
    assert found.damaged == []
    shown = json.dumps(body(found), default=lambda part: part.to_plotly_json())
    assert "damaged" not in shown
    hybrid = told["methods"]["hybrid"]["discovery"]["all"]
    assert f"{hybrid['ndcg']['value']:.3f} (" in shown
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot keep the report"):
        keep_report(tmp_path / "file", "evaluation", told, datetime.now(UTC))


def test_the_same_data_gives_the_same_report(told: dict[str, Any]) -> None:
    assert told_of(camps()) == told


def test_a_discovery_is_new_and_an_artist_filter_takes_the_known_ones() -> None:
    before = Plays(
        np.array([0, 0], np.int32),
        np.array([0, 1], np.int32),
        np.array([1.0, -1.0]),
        np.array([1, 2]),
        1,
        5,
    )
    after = Plays(
        np.array([0, 0, 0, 0], np.int32),
        np.array([0, 2, 3, 4], np.int32),
        np.array([1.0, 1.0, 1.0, -1.0]),
        np.array([3, 4, 5, 6]),
        1,
        5,
    )
    artists = np.array([0, 1, 1, 2, 2], dtype=np.int32)
    ground = ground_of(before, after, artists)
    rows = ground.listeners()
    discovery, whatever, new = tasks_of(ground, rows, ground.heard.pick(rows))
    assert discovery.excluded[0].tolist() == [True, True, False, False, False]
    assert discovery.relevant[0].tolist() == [False, False, True, True, False]
    assert not whatever.excluded.any()
    assert whatever.relevant[0].tolist() == [True, False, True, True, False]
    # the second was skipped, but its artist was heard
    assert new.excluded[0].tolist() == [True, True, True, False, False]
    assert new.relevant[0].tolist() == [False, False, False, True, False]


def test_a_claim_holds_where_the_whole_interval_does() -> None:
    rng = np.random.default_rng(6)
    theirs = rng.uniform(size=100)
    noise = rng.normal(0.02, 1, size=100)
    values = {"sure": theirs + 0.1, "lucky": theirs + noise, "theirs": theirs}
    assert noise.mean() > 0
    assert claim_of("sure", "theirs", values, or_equal=False)["holds"]
    lucky = claim_of("lucky", "theirs", values, or_equal=False)
    assert (lucky["holds"], lucky["why"]) == (False, "the gain's interval reaches 0")
    assert claim_of("lucky", "theirs", values, or_equal=True)["holds"]
    worse = claim_of("theirs", "sure", values, or_equal=True)
    assert (worse["holds"], worse["why"]) == (False, "it is worse")
    few = {name: each[:29] for name, each in values.items()}
    assert not claim_of("sure", "theirs", few, or_equal=False)["holds"]


def test_warm_and_cold_by_hand() -> None:
    """One has heard six items and one a single one; the last item is new to all."""
    before = Plays(
        np.array([0] * 6 + [1], np.int32),
        np.array([0, 1, 2, 3, 4, 5, 0], np.int32),
        np.ones(7),
        np.arange(1, 8),
        2,
        8,
    )
    after = Plays(
        np.array([0, 1], np.int32),
        np.array([7, 6], np.int32),
        np.ones(2),
        np.array([9, 9]),
        2,
        8,
    )
    ground = ground_of(before, after, None)
    shares = Shares({task: {"popular": 1.0} for task in TASKS}, "popular")
    figures, _ = judge_all([fit_popular(before)], shares, ground)

    def n_judged(part: str) -> int:
        return len(figures["discovery", part, "popular"]["ndcg"])

    assert [n_judged(part) for part in ("all", "warm", "cold", "cold items")] == [
        *(2, 1, 1, 2)
    ]
    often = Plays(
        np.arange(6, dtype=np.int32),
        np.zeros(6, np.int32),
        np.ones(6),
        np.ones(6, np.int64),
        7,
        2,
    )
    later = Plays(
        np.array([6], np.int32),
        np.array([0], np.int32),
        np.ones(1),
        np.array([9]),
        7,
        2,
    )
    figures, _ = judge_all([fit_popular(often)], shares, ground_of(often, later, None))
    # six have heard it: no cold item
    assert n_judged("cold items") == 0


def test_a_report_says_how_many_had_heard_nothing() -> None:
    said = [Said(f"u{n}", f"i{n % 3}", 1.0, n + 1) for n in range(20)]
    again = [Said("u1", "i0", 1.0, 40)]
    told = told_of(create_dataset("new", [*said, *again]))
    # the last tenth is two plays, of whom one comes back
    assert (told["data"]["n_asked"], told["data"]["n_asked_new"]) == (2, 1)
    assert "Of the 2 listeners who are asked about, 1 had heard" in render_page(told)


def test_slices_hold_who_and_what_is_cold(told: dict[str, Any]) -> None:
    of = told["methods"]["hybrid"]["discovery"]
    assert of["warm"]["n"] + of["cold"]["n"] == of["all"]["n"]
    assert 0 < of["cold items"]["n"] <= of["all"]["n"]


def test_who_does_not_go_on_cannot_be_judged() -> None:
    said = [Said("ada", f"i{n}", 1.0 if n < 9 else -1.0, n + 1) for n in range(10)]
    with pytest.raises(ModelError, match="listeners who go on"):
        told_of(create_dataset("one", said))


def test_a_listener_alone_is_judged_by_what_is_there() -> None:
    said = [Said("ada", f"i{n % 7}", 1.0, n + 1) for n in range(40)]
    told = told_of(create_dataset("one", said))
    assert told["methods"]["last heard"]["any"]["all"]["n"] == 1
    assert not any(each["holds"] for each in told["verdicts"])
    assert {each["why"] for each in told["verdicts"]} == {
        "only 1 listener: too few to tell"
    }


def test_where_nobody_plays_again_it_is_not_asked_who_does() -> None:
    """A list that may hold what was heard loses there by construction."""
    said = [Said(f"u{n % 50}", f"i{n}", 1.0, n + 1) for n in range(2_000)]
    told = told_of(create_dataset("once", said))
    assert not told["data"]["has_repeats"]
    assert "any" not in told["shares"]
    assert all("any" not in of for of in told["methods"].values())
    assert not [e for e in told["verdicts"] if e["claim"].endswith("> last heard")]
    assert "Nobody plays anything again" in render_page(told)


def test_a_claim_about_nothing_does_not_hold() -> None:
    nothing = np.zeros(40)
    values = {"a": nothing, "b": nothing, "c": np.linspace(0, 1, 40)}
    empty = claim_of("a", "b", values, or_equal=True)
    assert (empty["holds"], empty["why"]) == (False, "neither finds anything")
    same = claim_of("c", "c", values, or_equal=True)
    assert (same["holds"], same["is_same"]) == (True, True)
    new = claim_of("a", "c", values, or_equal=False, n_new=30)
    assert new["why"] == (
        "it is worse: nothing is known of 30 of the 40, only what others play"
    )


def test_the_summary_counts_each_claim_once(told: dict[str, Any]) -> None:
    summary = summary_of(told["verdicts"])
    assert sum(each["n"] for each in summary) == len(told["verdicts"])
    for each in summary:
        told_apart = ("n_hold", "n_worse", "n_few", "n_open")
        assert sum(each[kind] for kind in told_apart) == each["n"]
    assert sum(e["n_hold"] for e in summary) == sum(
        e["holds"] for e in told["verdicts"]
    )


def test_judging_in_blocks_changes_nothing() -> None:
    periods = split(camps(40), 0.1, 0.1)
    ground = ground_of(periods.past, periods.future, None)
    methods = fit_all(periods.past, Fitting(LearningSettings(), some_factors, True))
    halves = {"neighbours": 0.5, "popular": 0.5}
    shares = Shares(dict.fromkeys(TASKS, halves), "popular")
    whole, covered = judge_all(methods, shares, ground)
    parts, also_covered = judge_all(methods, shares, ground, at_once=7)
    assert covered == also_covered
    for key, metrics in whole.items():
        for metric, values in metrics.items():
            np.testing.assert_allclose(parts[key][metric], values, atol=1e-9)

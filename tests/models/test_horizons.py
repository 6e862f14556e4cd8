"""Where horizons begin and end, and what stands behind a list."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from models.days import DayTaste, PastTaste, Weights, no_past, past_taste
from models.horizons import Horizon, Horizons, merge_horizons
from models.listens import Entry
from segue.events import Action
from segue.settings import TasteSettings
from segue.track_index import create_track_index
from tests.factories import seconds

INDEX = create_track_index("v", ["rock", "jazz", "folk"], np.eye(3, dtype=np.float32))
SETTINGS = TasteSettings(half_life_s=1800, negative_half_life_s=600)
NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
TODAY = NOON.date()
DAY = timedelta(days=1)
NOTHING = no_past(3)


def entry(
    at: datetime, action: Action = Action.COMPLETED, track: str = "rock"
) -> Entry:
    return Entry(f"{at}", action, track, f"{at}", 60_000, 60_000, at)


def merged(
    entries: list[Entry],
    past: PastTaste = NOTHING,
    settings: TasteSettings = SETTINGS,
) -> Horizons:
    """Merge as of the newest entry; the past is of the days before its date."""
    as_of = entries[-1].event_time
    return merge_horizons(entries, past, as_of, settings, INDEX)


def n_listens(horizons: Horizons) -> list[int]:
    return [horizons.n_listens[each] for each in Horizon]


def day_of(plays: dict[str, Weights], reactions: dict[str, float]) -> DayTaste:
    return DayTaste(plays, reactions, (), len(plays))


@pytest.mark.parametrize(("more_s", "n"), [(0, 0), (0.001, 1)])
def test_a_listen_leaves_the_last_day_when_the_horizon_has_passed(
    more_s: float, n: int
) -> None:
    at = NOON - seconds(SETTINGS.horizon_s) + seconds(more_s)
    told = merged([entry(at), entry(NOON, Action.STARTED)])
    assert n_listens(told) == [n, n, 0, 0]


@pytest.mark.parametrize(("before_s", "n"), [(0, 1), (0.001, 0)])
def test_a_listen_at_midnight_is_of_the_new_date(before_s: float, n: int) -> None:
    midnight = datetime(2026, 5, 3, tzinfo=UTC)
    short = SETTINGS.model_copy(update={"horizon_s": 600})
    entries = [
        entry(midnight - seconds(before_s)),
        entry(midnight + seconds(3_600), Action.STARTED),
    ]
    assert n_listens(merged(entries, settings=short)) == [0, 0, n, n]


@pytest.mark.parametrize(("age_d", "is_in"), [(29, True), (30, False)])
def test_a_month_ends_after_its_days(age_d: int, is_in: bool) -> None:
    day = TODAY - age_d * DAY
    said = day_of({"rock": Weights(1.0, 0.0)}, {"jazz": 2.0})
    past = past_taste({day: said}, TODAY, SETTINGS, INDEX)
    told = merged([entry(NOON, Action.STARTED)], past)
    month, always = (told.tastes[x].positive for x in (Horizon.MONTH, Horizon.ALWAYS))
    keep = 0.5 ** (age_d / SETTINGS.month_half_life_d)
    assert month.weight == pytest.approx(3 * keep if is_in else 0)
    assert always.weight == pytest.approx(3 * 0.5 ** (age_d / 365))
    assert n_listens(told) == [0, 0, int(is_in), 1]


def test_behind_a_list_stands_each_listen_with_its_pull_in_all_horizons() -> None:
    # alone and new, it is half of what can be: in `now` and, by its share, in `today`
    alone = merged([entry(NOON)])
    assert alone.evidence.weights == pytest.approx([0.5 + 0.3 * 0.5])
    past = past_taste(
        {TODAY - DAY: day_of({"jazz": Weights(3.0, 0.0)}, {})}, TODAY, SETTINGS, INDEX
    )
    told = merged([entry(NOON, Action.STARTED)], past)
    weight = 3 * 0.5 ** (1 / 365)
    assert told.evidence.track_ids == ["jazz"]
    assert told.evidence.weights == pytest.approx([0.1 * weight / (weight + 1)])
    assert told.evidence.listened_at == [NOON - seconds(12 * 3_600) - DAY]


def test_the_past_counts_what_it_does_not_know() -> None:
    said = day_of(
        {"rock": Weights(1.0, 0.0), "new": Weights(1.0, 0.0)},
        {"new": 2.0, "newer": -2.0, "jazz": 2.0},
    )
    past = past_taste({TODAY - DAY: said}, TODAY, SETTINGS, INDEX)
    assert past.n_unknown == 2


def test_the_heaviest_tracks_are_the_familiar_ones() -> None:
    names = [f"t{n:03d}" for n in range(300)]
    vectors = np.ones((300, 1), dtype=np.float32)
    index = create_track_index("v", names, vectors)
    days: dict[date, DayTaste] = {
        TODAY - DAY: day_of({n: Weights(i % 250, 0.0) for i, n in enumerate(names)}, {})
    }
    familiar = past_taste(days, TODAY, SETTINGS, index).familiar
    weights = [each.weight for each in familiar]
    assert len(familiar) == 200
    assert weights == sorted(weights, reverse=True)
    keep = 0.5 ** (1 / 365)
    assert weights[0] == pytest.approx(249 * keep)
    # of equal weight the first by name: 100 have another of 0 to 49
    assert [each.track_id for each in familiar][:2] == ["t249", "t248"]
    assert weights[-1] == pytest.approx(50 * keep)

"""Listeners brought up to date in MongoDB: the same as one who saw all at once."""

import itertools
import threading
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pymongo.database import Database

from segue import store
from segue.clock import system_clock
from segue.events import Action, PlaybackEvent
from segue.settings import Settings
from segue.track_index import create_track_index
from streaming.facts import read_groups
from streaming.panes import DAY_S, Pane, pane_of
from streaming.schemas import ENTRY_FIELDS
from streaming.tastes import create_lists, entries_of, known_of
from streaming.updating import bring_up_to_date, refresh_list, write_panes
from tests.factories import START, create_event, create_index, seconds
from tests.streaming import reference

pytestmark = pytest.mark.mongo

INDEX = create_index()
DEFAULTS = Settings()
PANE_S = DEFAULTS.stream.pane_s
DAY = timedelta(days=1)
COMPARED = ("items", "newest_event_at")


def start_of(moment: datetime, length_s: int) -> datetime:
    at = int(moment.timestamp())
    return datetime.fromtimestamp(at - at % length_s, moment.tzinfo)


def panes_of(
    events: list[PlaybackEvent], length_s: int = PANE_S, *, is_late: bool = False
) -> list[Pane]:
    """Return whole panes of all events so far, as Spark's state gives them."""
    rows = [
        {name: getattr(event, name) for name in ENTRY_FIELDS}
        | {"partition": 0, "offset": offset, "is_late": is_late}
        for offset, event in enumerate(events)
    ]
    by = itertools.groupby(
        sorted(rows, key=lambda row: row["event_time"]),
        key=lambda row: start_of(row["event_time"], length_s),
    )
    return [pane_of(start, length_s, list(each)) for start, each in by]


def arrive(
    database: Database[store.Document],
    seen: list[PlaybackEvent],
    new: list[PlaybackEvent],
    length_s: int = PANE_S,
    user_id: str = "ada",
    *,
    is_late: bool = False,
    with_list: bool = True,
) -> None:
    """Bring up to date after `new`, of which `seen` has all with it."""
    touched = {start_of(event.event_time, length_s) for event in new}
    panes = panes_of(seen, length_s, is_late=is_late)
    changed = {user_id: [p for p in panes if p.window_start in touched]}
    if with_list:
        bring_up_to_date(database, changed, INDEX, DEFAULTS, system_clock)
    else:
        write_panes(database, changed, INDEX, system_clock)


def catch_up(database: Database[store.Document], user_id: str = "ada") -> None:
    """Make a list that is due."""
    bring_up_to_date(database, {user_id: []}, INDEX, DEFAULTS, system_clock)


def expected(
    database: Database[store.Document], events: list[PlaybackEvent]
) -> tuple[store.Document, store.Document]:
    entries = entries_of(panes_of(events), {})
    known = {"ada": known_of(entries, DEFAULTS.taste, INDEX)}
    groups = read_groups(database, INDEX)
    (tastes, lists, _) = create_lists(known, INDEX, groups, DEFAULTS, START)
    return tastes[0], lists[0]


def assert_same(
    database: Database[store.Document], events: list[PlaybackEvent]
) -> None:
    """See that what is stored is what one sees who looks at all events at once."""
    taste, document = expected(database, events)
    stored = database[store.RECOMMENDATIONS].find_one({"_id": "ada"})
    assert stored is not None
    ids = [item["track_id"] for item in document["items"]]
    assert [item["track_id"] for item in stored["items"]] == ids
    for mine, other in zip(stored["items"], document["items"], strict=True):
        assert mine["score"] == pytest.approx(other["score"], abs=1e-6)
        assert mine["parts"] == pytest.approx(other["parts"], abs=1e-6)
    assert stored["newest_event_at"] == document["newest_event_at"]
    found = database[store.TASTES].find_one({"_id": "ada"})
    assert found is not None
    for name, horizon in taste["horizons"].items():
        got = found["horizons"][name]
        assert got["n_listens"] == horizon["n_listens"]
        for field in ("vector", "negative_vector", "weight", "negative_weight"):
            np.testing.assert_allclose(got[field], horizon[field], atol=1e-6)


def assert_as_by_hand(
    database: Database[store.Document], events: list[PlaybackEvent]
) -> None:
    """See that what is stored is what plain NumPy makes of the events."""
    taste = database[store.TASTES].find_one({"_id": "ada"})
    stored = database[store.RECOMMENDATIONS].find_one({"_id": "ada"})
    assert taste is not None
    assert stored is not None
    horizons = reference.horizons_of(events, INDEX, DEFAULTS.taste)
    for name, horizon in horizons.items():
        for field, value in horizon.items():
            got = taste["horizons"][name][field]
            np.testing.assert_allclose(got, value, atol=1e-6)
    seeds = [seed["track_id"] for seed in taste["seeds"]]
    scores = reference.scores_of(horizons, seeds, INDEX, DEFAULTS.taste)
    left = {item["track_id"] for item in stored["items"]}
    # what stays out is tested by itself; a long enough list holds all the rest
    out = set(INDEX.track_ids) - left if len(left) < 20 else left_out(events)
    seed = reference.seed_of("ada", events)
    expected = reference.list_of(scores, out, INDEX, DEFAULTS.taste, seed)
    assert [item["track_id"] for item in stored["items"]] == [x[0] for x in expected]
    for place, name in ((1, "score"), (2, "propensity")):
        told, wanted = [x[name] for x in stored["items"]], [x[place] for x in expected]
        np.testing.assert_allclose(told, wanted, atol=1e-6)


def left_out(events: list[PlaybackEvent]) -> set[str]:
    """Return what must not be in the list of a catalogue without copies."""
    by_time = sorted(events, key=lambda event: (event.event_time, event.event_id))
    newest_at = by_time[-1].event_time
    disliked: set[str] = set()
    blocked: set[str] = set()
    for event in by_time:
        if event.action == Action.DISLIKED:
            disliked.add(event.track_id)
        elif event.action in (Action.LIKED, Action.UNLIKED):
            disliked.discard(event.track_id)
        elif event.action == Action.BLOCKED:
            blocked.add(event.track_id)
    plays = [e for e in by_time if e.action in (Action.COMPLETED, Action.SKIPPED)]
    lately = newest_at - seconds(DEFAULTS.taste.heard_s)
    heard = {e.track_id: e.event_time for e in plays if e.event_time >= lately}
    latest = sorted(heard, key=lambda track_id: (heard[track_id], track_id))
    most = len(INDEX.track_ids) // 2
    return disliked | blocked | set(latest[max(0, len(latest) - most) :])


def some_events(
    n: int, rng: np.random.Generator, span: timedelta
) -> list[PlaybackEvent]:
    actions = [Action.COMPLETED] * 4 + [Action.SKIPPED] * 3
    actions += [Action.LIKED, Action.UNLIKED, Action.DISLIKED, Action.BLOCKED]
    return [
        create_event(
            actions[int(rng.integers(len(actions)))],
            f"t{int(rng.integers(42)):03d}",
            at=START + seconds(round(span.total_seconds() * rng.random(), 3)),
            play_id=f"p{int(rng.integers(n))}",
            played_ms=int(rng.integers(60_000)),
        )
        for _ in range(n)
    ]


@hypothesis_settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 2**32), st.integers(1, 6), st.sampled_from([0.2, 3.0, 70.0]))
def test_any_order_chunks_copies_and_restarts_give_the_same(
    database: Database[store.Document], seed: int, n_chunks: int, days: float
) -> None:
    for name in (store.TASTE_WINDOWS, store.TASTE_DAYS, store.TASTE_PAST):
        database[name].delete_many({})
    for name in (store.TASTES, store.RECOMMENDATIONS, store.LISTS_DUE):
        database[name].delete_many({})
    rng = np.random.default_rng(seed)
    events = some_events(40, rng, DAY * days)
    copies = [events[int(i)] for i in rng.integers(len(events), size=12)]
    arriving = [*events, *copies]
    rng.shuffle(arriving)
    cuts = sorted(int(cut) for cut in rng.integers(1, len(arriving), size=n_chunks))
    for first, last in itertools.pairwise([0, *cuts, len(arriving)]):
        for _ in range(1 + int(rng.random() < 0.3)):  # a batch may run again
            with_list = bool(rng.random() < 0.5)  # in a backlog it follows later
            arrive(database, arriving[:last], arriving[first:last], with_list=with_list)
    catch_up(database)
    assert database[store.LISTS_DUE].find_one() is None
    assert_same(database, events)
    assert_as_by_hand(database, events)
    refresh_list(database, "ada", INDEX, DEFAULTS, system_clock)
    assert_same(database, events)


def test_a_late_event_of_a_day_that_is_over_counts(
    database: Database[store.Document], rng: np.random.Generator
) -> None:
    events = some_events(30, rng, DAY * 5)
    arrive(database, events, events)
    late = create_event(track_id="t007", at=START + DAY)
    arrive(database, [late], [late], DAY_S)
    assert_same(database, [*events, late])
    days = {each["day"].date() for each in database[store.TASTE_DAYS].find()}
    assert (START + DAY).date() in days


def test_two_who_write_at_a_time_lose_nothing(
    database: Database[store.Document], rng: np.random.Generator
) -> None:
    events = some_events(60, rng, DAY * 4)
    live, late = events[:30], events[30:]
    arrive(database, live[:5], live[:5])

    def in_parts(mine: list[PlaybackEvent], length_s: int) -> None:
        for last in range(3, len(mine) + 1, 3):
            arrive(database, mine[:last], mine[last - 3 : last], length_s)

    jobs: list[Any] = [(live, PANE_S), (late, DAY_S)]
    threads = [threading.Thread(target=in_parts, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    newest = max(events, key=lambda event: event.event_time)
    length_s = PANE_S if newest in live else DAY_S
    arrive(database, live if newest in live else late, [newest], length_s)
    assert_same(database, events)


def test_who_has_no_past_is_not_looked_up_again(
    database: Database[store.Document],
) -> None:
    first = create_event()
    arrive(database, [first], [first])
    stored = database[store.TASTE_PAST].find_one({"_id": "ada"})
    assert stored is not None
    assert (stored["generation"], stored["sums"]["n_unknown"]) == (0, 0)
    again = create_event(at=START + seconds(5))
    arrive(database, [first, again], [again])
    assert database[store.TASTE_PAST].find_one({"_id": "ada"}) == stored


def test_a_track_that_comes_later_counts_in_the_days_that_are_over(
    database: Database[store.Document],
) -> None:
    unknown = create_event(track_id="t999")
    today = create_event(Action.STARTED, "t001", at=START + 3 * DAY)
    arrive(database, [unknown, today], [unknown, today])
    past = database[store.TASTE_PAST].find_one({"_id": "ada"})
    assert past is not None
    assert past["sums"]["n_unknown"] == 1
    vectors = np.vstack([INDEX.vectors, INDEX.vectors[:1]])
    ids = [*INDEX.track_ids, "t999"]
    grown = create_track_index("grown", ids, vectors, lineage=INDEX.lineage)
    refresh_list(database, "ada", grown, DEFAULTS, system_clock)
    taste = database[store.TASTES].find_one({"_id": "ada"})
    assert taste is not None
    np.testing.assert_allclose(
        taste["horizons"]["always"]["vector"], INDEX.vectors[0], atol=1e-7
    )


def test_artists_and_recordings_of_the_catalogue_shape_the_list(
    database: Database[store.Document],
) -> None:
    play = create_event(track_id="t000")
    arrive(database, [play], [play])

    def listed() -> list[str]:
        (found,) = database[store.RECOMMENDATIONS].find()
        return [item["track_id"] for item in found["items"]]

    artist, copies = set(listed()[:10]), listed()[10:12]
    tracks = [{"_id": name, "artist_id": "ada"} for name in artist]
    tracks += [{"_id": name, "recording_id": copies[0]} for name in copies]
    database[store.TRACKS].insert_many(tracks)
    refresh_list(database, "ada", INDEX, DEFAULTS, system_clock)
    assert artist <= set(listed())  # nobody was told
    store.touch_catalogue(database)
    refresh_list(database, "ada", INDEX, DEFAULTS, system_clock)
    assert len(artist.intersection(listed())) == DEFAULTS.taste.max_per_artist
    assert len(set(copies).intersection(listed())) == 1

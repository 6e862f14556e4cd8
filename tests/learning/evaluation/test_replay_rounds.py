"""The list before a play is the one that the stream would have had, and no other."""

from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymongo.database import Database

from learning.evaluation.histories import History
from learning.evaluation.rankers import rankers_of
from learning.evaluation.replaying import Replay, groups_of, stage_of
from learning.evaluation.rounds import (
    Judged,
    Listener,
    Place,
    create_listener,
    replayed,
)
from models.days import PastTaste
from models.learned import learned_for
from models.listens import Entry
from segue import indexes, store
from segue.clock import system_clock
from segue.settings import Settings, TasteSettings
from segue.track_index import write_track_index
from segue.trained_model import FOLDER as MODELS
from segue.trained_model import write_model
from streaming.forget_rules import write_rules
from streaming.panes import entry_of
from streaming.rebuild import rebuild
from streaming.session import worker_database
from streaming.tastes import known_of
from tests.conftest import SettingsFactory
from tests.learning.archives import archive, event
from tests.learning.evaluation.replays import (
    FIRST_DAY,
    N_DATES,
    camp_index,
    day,
    events_in,
    listeners_of,
    settings_of,
    some_events,
    stage_with,
)
from tests.models.models import create_trained

INSTANT = timedelta(microseconds=1)
USERS = [f"u{number:03d}" for number in range(6)]
INDEX = camp_index()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("replayed")
    archive(home, some_events(len(USERS), 45))
    return home


def began_at(listener: Listener, judged: Judged) -> Any:
    return listener.history.entries[judged.play.n_before].event_time


def as_rebuilt(
    home: Path, user: str, at: Any, settings: Settings, database: Any = None
) -> list[str]:
    made = rebuild(user, at - INSTANT, INDEX, settings, system_clock, database)
    return [item["track_id"] for each in made.lists for item in each["items"]]


@pytest.mark.parametrize("has_model", [False, True], ids=["taste", "with a model"])
def test_lists_are_those_that_rebuild_makes_just_before(
    home: Path, tmp_path: Path, has_model: bool
) -> None:
    settings = settings_of(tmp_path)
    (tmp_path / "events").symlink_to(home / "events")
    learned = None
    if has_model:
        model = create_trained(INDEX, n_known=60)
        write_model(tmp_path / MODELS, model)
        learned = learned_for(model, INDEX)
    rankers = rankers_of(settings, ())
    stage = stage_with(INDEX, rankers, learned)
    listeners = listeners_of(home, USERS, day(0), day(N_DATES), stage)
    by_user = {each.user_id: each for each in listeners}
    found = list(replayed(listeners, rankers, stage))
    rng = np.random.default_rng(5)
    for at in rng.choice(len(found), 60, replace=False).tolist():
        judged = found[at]
        began = began_at(by_user[judged.user_id], judged)
        wanted = as_rebuilt(home, judged.user_id, began, settings)
        assert [INDEX.track_ids[row] for row in judged.rows] == wanted
        assert (judged.rank is not None) == (judged.play.track_id in wanted)
        if judged.rank is not None:
            assert wanted[judged.rank - 1] == judged.play.track_id
    dates = {began_at(by_user[j.user_id], j).date() for j in found}
    assert len(dates) == N_DATES
    assert sum(judged.rank is not None for judged in found) > 20


def test_what_is_known_is_what_known_of_says(home: Path) -> None:
    taste = settings_of(home).taste
    stage = stage_with(INDEX, rankers_of(settings_of(home), ()))
    (one,) = listeners_of(home, USERS[:1], day(0), day(N_DATES), stage)
    entries = one.history.entries
    for n_before in (1, 2, len(entries) // 3, len(entries) // 2, len(entries)):
        found = one.history.known_before(n_before, taste, INDEX)
        wanted = known_of(entries[:n_before], taste, INDEX)
        assert found.recent == wanted.recent
        assert_same_past(found.past, wanted.past)


def assert_same_past(found: PastTaste, wanted: PastTaste) -> None:
    for horizon in ("month", "always"):
        for side in ("positive", "negative"):
            one, other = (getattr(getattr(x, horizon), side) for x in (found, wanted))
            assert one.weight == other.weight
            np.testing.assert_array_equal(one.mean, other.mean)
    for name in ("reactions", "blocks", "familiar", "n_month", "n_always"):
        assert getattr(found, name) == getattr(wanted, name)


def test_the_past_is_made_once_a_date(home: Path) -> None:
    taste = settings_of(home).taste
    stage = stage_with(INDEX, rankers_of(settings_of(home), ()))
    (one,) = listeners_of(home, USERS[:1], day(0), day(N_DATES), stage)
    dates = [entry.event_time.date() for entry in one.history.entries]
    (first, *_, last) = [n for n, each in enumerate(dates, start=1) if each == day(4)]
    past = one.history.known_before(first, taste, INDEX).past
    assert one.history.known_before(last, taste, INDEX).past is past
    assert one.history.known_before(last + 1, taste, INDEX).past is not past


def test_nothing_at_or_after_the_play_counts(home: Path) -> None:
    """What happens at its beginning or later is changed in every way it could be."""
    rankers = rankers_of(settings_of(home), ())
    stage = stage_with(INDEX, rankers)
    user = USERS[1]
    (plain,) = listeners_of(home, [user], day(0), day(N_DATES), stage)
    found = list(replayed([plain], rankers, stage))
    hit = next(x for x in found[10:] if x.rank is not None)
    began = began_at(plain, hit)
    before = [e for e in plain.history.entries if e.event_time < began]
    own = entry_of(event(user, hit.play.track_id, event_time=began, play_id="own"))

    def list_after(*later: Entry) -> Judged:
        entries = [*before, own, *later]
        listener = create_listener(user, entries, began.date(), began.date(), stage)
        return next(
            x
            for x in replayed([listener], rankers, stage)
            if x.play.n_before == len(before)
        )

    def later(action: str, after: timedelta, track: str) -> Entry:
        told = event(user, track, action, event_time=began + after, scope="track")
        return entry_of(told)

    top, now = INDEX.track_ids[hit.rows[0]], timedelta(0)
    for changed in (
        list_after(),
        list_after(later("blocked", now, hit.play.track_id)),
        list_after(later("disliked", now, hit.play.track_id)),
        list_after(later("blocked", now, top), later("skipped", now, top)),
        list_after(*(later("completed", INSTANT * n, top) for n in range(9))),
        list_after(later("liked", timedelta(days=2), "3-00")),
    ):
        assert changed.rows.tolist() == hit.rows.tolist()
        assert changed.rank == hit.rank
    # an instant earlier, it would have been out
    earlier = entry_of(
        event(user, hit.play.track_id, "blocked", event_time=began - INSTANT)
    )
    out = create_listener(
        user, [*before, earlier, own], began.date(), began.date(), stage
    )
    last = list(replayed([out], rankers, stage))[-1]
    assert (last.rank, last.place) == (None, Place.EXCLUDED)


def test_where_a_track_was_by_hand() -> None:
    """A newcomer's, one heard just now, one that is no track, and one that is far."""
    rankers = rankers_of(Settings(taste=TasteSettings(n_recommendations=3)), ())
    stage = stage_with(INDEX, rankers)

    def at(minute: int, track: str, action: str = "completed") -> Entry:
        moment = FIRST_DAY + timedelta(minutes=minute)
        return entry_of(event("ada", track, action, event_time=moment))

    far = int(np.argmin(INDEX.vectors @ INDEX.vectors[0]))
    entries = [
        at(0, "0-00"),
        at(1, "0-00"),
        at(2, "nowhere"),
        at(3, INDEX.track_ids[far]),
        at(4, "0-05", "started"),
    ]
    one = create_listener("ada", entries, day(0), day(0), stage)
    found = list(replayed([one], rankers, stage))
    assert [judged.place for judged in found] == [
        Place.COLD_START,
        Place.EXCLUDED,
        Place.NOT_INDEXED,
        Place.MISSED,
    ]
    assert [judged.play.n_heard for judged in found] == [0, 1, 1, 2]
    assert [judged.play.is_discovery for judged in found] == [True, False, True, True]
    assert [judged.freshness for judged in found] == [
        None,
        None,
        *(
            len({*a.rows.tolist()} - {*b.rows.tolist()}) / 3
            for a, b in zip(found[2:], found[1:], strict=False)
        ),
    ]
    assert one.n_silent == 1


def test_a_play_is_of_the_date_of_its_beginning_and_speaks_by_its_end(
    home: Path,
) -> None:
    night = FIRST_DAY + timedelta(days=1, seconds=-2)
    told = [
        event("ada", "0-01", "started", event_time=night, play_id="p", played_ms=0),
        event("ada", "0-01", event_time=night + timedelta(seconds=60), play_id="p"),
        event("ada", "0-02", event_time=night + timedelta(seconds=90)),
    ]
    history = History(map(entry_of, [*told, told[1]]))
    (first,) = history.plays(day(0), day(0), str)
    assert (first.track_id, first.weight, first.n_before) == ("0-01", 1.0, 0)
    (second,) = history.plays(day(1), day(1), str)
    assert (second.track_id, second.n_before, second.n_heard) == ("0-02", 2, 1)


def test_lists_do_not_depend_on_who_else_is_in_the_group(home: Path) -> None:
    rankers = rankers_of(settings_of(home), ["taste.variety=0"])
    stage = stage_with(INDEX, rankers)

    def lists(users: list[str]) -> dict[Any, list[list[int]]]:
        of = defaultdict(list)
        listeners = listeners_of(home, users, day(4), day(6), stage)
        for judged in replayed(listeners, rankers, stage):
            of[judged.user_id, judged.ranker].append(judged.rows.tolist())
        return of

    together = lists(USERS)
    for user in USERS:
        for key, alone in lists([user]).items():
            assert together[key] == alone


@pytest.mark.mongo
def test_copies_names_and_what_is_forgotten_are_those_of_today(
    settings: SettingsFactory, tmp_path: Path
) -> None:
    ready = settings()
    write_track_index(ready.home / "index", INDEX)
    events = some_events(2, 30, seed=4)
    archive(ready.home, events)
    database: Database[store.Document] = store.connect(ready.mongo)
    indexes.prepare(database)
    tracks: list[store.Document] = [
        # each two tracks are of one recording
        {"_id": name, "artist": "x", "recording_id": INDEX.track_ids[row // 2 * 2]}
        for row, name in enumerate(INDEX.track_ids)
    ]
    database[store.TRACKS].insert_many(tracks)
    said_at = FIRST_DAY + timedelta(days=5)
    forgotten = event(
        "u000", events[0]["track_id"], "forgotten", event_time=said_at, scope="track"
    )
    write_rules(database, [forgotten])
    rankers = rankers_of(ready, ())
    job = Replay(ready, rankers, day(0), day(N_DATES), INDEX.version, tmp_path, None)
    stage = stage_of(job)
    rows = events_in(ready.home).sort_by("user_id").combine_chunks().to_batches()
    (group,) = groups_of(rows, job, stage)
    by_user = {each.user_id: each for each in group}
    assert sum(len(each.history.entries) for each in group) < len(events)
    found = list(replayed(group, rankers, stage))
    by_copy = 0
    for judged in found:
        began = began_at(by_user[judged.user_id], judged)
        wanted = as_rebuilt(ready.home, judged.user_id, began, ready, database)
        assert [INDEX.track_ids[row] for row in judged.rows] == wanted
        by_copy += judged.rank is not None and judged.play.track_id not in wanted
    assert by_copy
    database.client.close()
    worker_database(ready.mongo).client.close()
    worker_database.cache_clear()

"""What has just happened: of each play its last word, from panes and listens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database

from dashboard.analytics.answers import Answers
from dashboard.analytics.feed import Event, Word, last_words, read, shown
from dashboard.analytics.questions import parse
from segue import store
from segue.settings import Settings
from segue.store import Document
from tests.conftest import SettingsFactory
from tests.dashboard.site import read as run

NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)


def _ago(s: float) -> datetime:
    return NOW - timedelta(seconds=s)


def test_an_end_is_the_last_word_and_keeps_its_surface() -> None:
    words = [
        Word("ada|p", _ago(9), "progressed", "t1", "home"),
        Word("ada|p", _ago(4), "skipped", "t1"),
        Word("ada|p", _ago(3), "progressed", "t1"),
        Word("ben|p", _ago(1), "started", "t2"),
    ]
    for some in (words, words[::-1]):
        assert last_words(some) == [
            Word("ben|p", _ago(1), "started", "t2"),
            Word("ada|p", _ago(4), "skipped", "t1", "home"),
        ]


def _entry(action: str, ago_s: float, track: str = "t1", play: str = "p") -> Document:
    names = {"event_id": f"e{ago_s}", "play_id": play, "track_id": track}
    return {**names, "action": action, "event_time": _ago(ago_s)}


def _pane(user: str, ago_s: float, *entries: Document, length_s: int = 300) -> Document:
    return {
        "_id": f"{user}|{length_s}",
        "user_id": user,
        "window_length_s": length_s,
        "entries": list(entries),
        "updated_at": _ago(ago_s),
    }


def _listen(user: str, play: str, ago_s: float, **more: Any) -> Document:
    told = {"listened_at": _ago(ago_s), "action": "progressed", "track_id": "t1"}
    return {"_id": f"{user}|{play}", **told, "source": {"surface": "home"}, **more}


@pytest.fixture
def ours(settings: SettingsFactory) -> Settings:
    made = settings(prepared=True)
    database = store.connect(made.mongo)
    _fill(database)
    database.client.close()
    return made


def _fill(database: Database[Document]) -> None:
    tracks: list[Document] = [
        {"_id": f"t{n}", "title": f"Title {n}", "genre_ids": [f"s{n}"]} for n in (1, 2)
    ]
    store.upsert(database, store.TRACKS, tracks)
    store.upsert(
        database,
        store.TASTE_WINDOWS,
        [
            _pane(
                *("ada", 1.0),
                *(_entry("progressed", n) for n in range(200, 40, -1)),
                _entry("skipped", 2),
                _entry("liked", 1.5),
                _entry("blocked", 1.2),
            ),
            _pane("ben", 0.5, _entry("started", 1, "t2", "q")),
            # its clock is ahead by more than the stream takes
            _pane("cy", 0.2, _entry("started", -400)),
            # histories come as panes of a day
            _pane("dan", 0.1, _entry("completed", 0.3), length_s=86_400),
            {"_id": "eve", "user_id": "eve", "window_length_s": 300, "entries": [{}]},
        ],
    )
    store.upsert(
        database,
        store.LISTENS,
        [
            _listen("ada", "p", 30),
            _listen("dan", "p", 90, action="completed", source=None),
        ],
    )


def _read(ours: Settings, query: str = "") -> list[Event]:
    async def ask(database: AsyncDatabase[Document]) -> list[Event]:
        question = parse(query, "1h", NOW)
        return list(await read(Answers(database), question, NOW))

    return run(ours, ask)


@pytest.mark.mongo
def test_the_newest_is_first_and_each_play_is_there_once(ours: Settings) -> None:
    told = [(e.track.name, e.action, e.surface) for e in _read(ours)]
    assert told == [
        ("Title 2", "started", "none"),
        ("Title 1", "liked", "none"),
        ("Title 1", "skipped", "home"),
        ("Title 1", "completed", "none"),
    ]


@pytest.mark.mongo
@pytest.mark.parametrize(
    ("query", "actions"),
    [
        ("style=s2", ["started"]),
        ("surface=home", ["skipped"]),
        ("style=s1", ["liked", "skipped", "completed"]),
        ("style=nothing", []),
    ],
)
def test_filters_choose(ours: Settings, query: str, actions: list[str]) -> None:
    assert [each.action for each in _read(ours, query)] == actions


@pytest.mark.mongo
def test_nobody_is_named(ours: Settings) -> None:
    page = str(shown(_read(ours)))
    assert "Title 1" in page
    for secret in ("ada", "ben", "e1.5", "'q'"):
        assert secret not in page


@pytest.mark.mongo
def test_the_newest_panes_are_found_by_their_index(ours: Settings) -> None:
    database = store.connect(ours.mongo)
    short = {"window_length_s": {"$lt": 86_400}}
    found = database[store.TASTE_WINDOWS].find(short).sort("updated_at", -1).limit(60)
    plan = str(found.explain()["queryPlanner"]["winningPlan"])
    database.client.close()
    assert "'newest'" in plan
    assert "SORT" not in plan

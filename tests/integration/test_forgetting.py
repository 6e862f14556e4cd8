"""What is forgotten leaves archive, history, panes and lists, and stays away."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from segue import store
from segue.clock import system_clock
from segue.events import Action, PlaybackEvent, Scope
from segue.settings import Settings, to_environment
from segue.shown import ShownList, ShownRow
from segue.tokens import create_token
from segue.track_index import write_track_index
from streaming.archive import read_archive
from tests.conftest import SettingsFactory
from tests.factories import create_event, create_index, seconds
from tests.integration.conftest import StreamingJob
from tests.integration.test_history import ledger_of, send
from tests.streaming.served import show

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.mongo,
    pytest.mark.spark,
    pytest.mark.slow,
]

LAST_YEAR = timedelta(days=365)
EVERY = {f"t{n:03d}" for n in range(6)}
LEFT = EVERY - {"t000", "t001"}
NOTHING_SAID: dict[str, set[str]] = {"bob": set()}


def forgotten(
    scope: Scope, about: PlaybackEvent, at: datetime, until: datetime | None = None
) -> PlaybackEvent:
    asked = create_event(
        Action.FORGOTTEN, about.track_id, about.user_id, at, play_id=about.play_id
    )
    session = about.session_id
    return asked._replace(scope=scope.value, until=until, session_id=session)


def plays_of(user_id: str, start: datetime, gap_s: float) -> list[PlaybackEvent]:
    return [
        create_event(
            track_id=f"t{n:03d}", user_id=user_id, at=start + seconds(n * gap_s)
        )
        for n in range(6)
    ]


def said(action: Action, about: PlaybackEvent, scope: str | None = None) -> bytes:
    """Return what somebody said of a track half a minute after they heard it."""
    at = about.event_time + seconds(30)
    word = create_event(action, about.track_id, about.user_id, at)
    return word._replace(session_id="later", scope=scope).to_json()


def said_by(job: StreamingJob, user_id: str) -> set[str]:
    """Return the stored reactions and blocks of a listener."""
    return {
        f"{each['action']} {each['_id']}"
        for place in (store.REACTIONS, store.BLOCKS)
        for each in job.database[place].find({"user_id": user_id})
    }


def held(job: StreamingJob, user_id: str) -> dict[str, set[str]]:
    """Return the tracks that each place holds of a listener."""
    asked = Action.FORGOTTEN.value
    table = read_archive(job.settings.home).to_table()
    panes = job.database[store.TASTE_WINDOWS].find({"user_id": user_id})
    lists = job.database[store.RECOMMENDATIONS].find({"_id": user_id})
    return {
        "archive": {
            row["track_id"]
            for row in table.to_pylist()
            if row["user_id"] == user_id and row["action"] != asked
        },
        "listens": {
            row["track_id"]
            for row in job.database[store.LISTENS].find({"user_id": user_id})
        },
        "panes": {
            entry["track_id"]
            for pane in panes
            for entry in pane["entries"]
            if entry["action"] != asked
        },
        "reasons": {
            each["track_id"]
            for found in lists
            for item in found["items"]
            for each in item["because"]
        },
    }


def everywhere(*track_ids: str) -> dict[str, set[str]]:
    places = ("archive", "listens", "panes", "reasons")
    return {place: set(track_ids) for place in places}


def is_held(job: StreamingJob, user_id: str, expected: dict[str, set[str]]) -> bool:
    """Say whether the places hold that; of reasons a list names the best."""
    found = held(job, user_id)
    return found.pop("reasons") <= expected["reasons"] and found == {
        place: tracks for place, tracks in expected.items() if place != "reasons"
    }


def assert_told(job: StreamingJob, asked: list[PlaybackEvent], said: set[str]) -> None:
    """What ada's pages tell: how many listens went, whence the list, her words."""
    assert said_by(job, "ada") == said
    for event in asked:
        rule = job.database[store.FORGETS].find_one(f"ada|{event.event_id}")
        assert rule is not None
        assert rule["n_listens"] >= 1
    found = job.database[store.RECOMMENDATIONS].find_one("ada")
    assert found is not None
    last = max(asked, key=lambda event: (event.event_time, event.event_id))
    assert found["diff"]["event"]["event_id"] == last.event_id


def assert_nothing_learned(job: StreamingJob, user_id: str) -> None:
    for place in (store.RECOMMENDATIONS, store.TASTES):
        assert job.database[place].find_one({"_id": user_id}) is None
    assert job.database[store.TASTE_DAYS].count_documents({"user_id": user_id}) == 0
    assert job.database[store.SHOWN_DAYS].count_documents({"user_id": user_id}) == 0
    past = job.database[store.TASTE_PAST].find_one({"_id": user_id})
    assert past is not None
    assert past["sums"]["familiar"] == past["sums"]["reactions"] == []
    assert past["sums"]["always"]["weight"] == 0


def done(job: StreamingJob, n_rules: int) -> Callable[[], Any]:
    rules = job.database[store.FORGETS]
    return lambda: rules.count_documents({"done_at": {"$ne": None}}) == n_rules


def show_what_is_played(job: StreamingJob, plays: list[PlaybackEvent]) -> list[bytes]:
    """Show a listener a list of what they will play; return the plays as from there."""
    user_id = plays[0].user_id
    rows = [
        ShownRow(each.track_id, rank, "now", explored=False)
        for rank, each in enumerate(plays, start=1)
    ]
    list_id = f"{user_id}@1"
    at = plays[0].event_time
    show(job.database, ShownList(user_id, list_id, "player", None, rows, at))
    source = {"surface": "player", "list_id": list_id}
    return [each._replace(source=source).to_json() for each in plays]


def became(job: StreamingJob, user_id: str) -> set[str] | None:
    """Return what was played of a listener's list; None where there is no list."""
    found = job.database[store.SHOWN_LISTS].find_one({"user_id": user_id})
    return None if found is None else {e["track_id"] for e in found["outcomes"]}


def counted(job: StreamingJob) -> tuple[int, int]:
    """Return how many lists were shown, and how many of their rows completed."""
    found = job.database[store.SERVED].find({"level": "day"}).to_list()
    return sum(e["n_lists"] for e in found), sum(e["n_completed"] for e in found)


def assert_said(
    job: StreamingJob,
    said: dict[str, set[str]],
    of_lists: dict[str, set[str] | None],
    counts: tuple[int, int],
) -> None:
    """What listeners said, what became of their lists, and what was counted of it."""
    assert {each: said_by(job, each) for each in said} == said
    assert {each: became(job, each) for each in of_lists} == of_lists
    job.wait_for(f"{counts}", lambda: counted(job) == counts)


def adds_up(job: StreamingJob) -> Counter[str]:
    ledger = ledger_of(job)
    assert ledger["n_read"] == ledger.total() - ledger["n_read"]
    return ledger


def test_what_is_forgotten_is_nowhere_and_does_not_come_back(
    settings: SettingsFactory, streaming_job: Callable[[Settings], StreamingJob]
) -> None:
    ready = settings(topics=True)
    write_track_index(ready.home / "index", create_index())
    job = streaming_job(ready)
    kafka = ready.kafka
    now = system_clock()
    live = plays_of("ada", now - seconds(60), 5)
    past = plays_of("ada", now - LAST_YEAR, 7_200)
    bob = plays_of("bob", now - LAST_YEAR, 60)
    bob_live = plays_of("bob", now - seconds(60), 5)
    all_past = [event.to_json() for event in [*past, *bob]]
    all_live = [
        event for plays in (live, bob_live) for event in show_what_is_played(job, plays)
    ]
    all_live += [
        said(Action.LIKED, live[1]),
        said(Action.LIKED, live[5]),
        said(Action.BLOCKED, live[5], "artist"),
        said(Action.DISLIKED, bob_live[2]),
        said(Action.BLOCKED, bob_live[3]),
    ]
    send(kafka, kafka.history_topic, all_past)
    send(kafka, kafka.events_topic, all_live)
    job.start()
    job.wait_until_all_counted(29)
    job.wait_for("lists", lambda: held(job, "ada")["reasons"])
    ada_said = {"liked ada|t005", "blocked ada|artist|t005"}
    assert_said(
        job,
        {
            "ada": ada_said | {"liked ada|t001"},
            "bob": {"disliked bob|t002", "blocked bob|track|t003"},
        },
        {"ada": EVERY, "bob": EVERY},
        (2, 12),
    )
    assert held(job, "ada")["archive"] == EVERY

    asked = [
        forgotten(Scope.LISTEN, live[0], now),
        forgotten(Scope.TRACK, live[1], now),
        # of last year: all but the first, which lies before the window
        forgotten(
            Scope.WINDOW, past[1], past[1].event_time, past[5].event_time + seconds(1)
        ),
    ]
    send(kafka, kafka.events_topic, [each.to_json() for each in asked[:2]])
    send(kafka, kafka.history_topic, [asked[2].to_json()])
    job.wait_until_all_counted(32)
    job.wait_for("end of the forgetting", done(job, 3))
    # the first play of last year is that of another day than the one that is forgotten
    ada = everywhere("t000", "t002", "t003", "t004", "t005")
    job.wait_for("ada's places", lambda: is_held(job, "ada", ada))
    assert_told(job, asked[:2], ada_said)
    assert_said(job, {"ada": ada_said}, {"ada": LEFT, "bob": EVERY}, (2, 10))
    create_token(job.database, "bob", system_clock)
    ledger = adds_up(job)
    assert (ledger["n_read"], ledger["n_events"]) == (32, 24)

    deleted = subprocess.run(
        [sys.executable, "-m", "segue", "account", "delete", "bob", "--yes"],
        env={**os.environ, **to_environment(ready)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (deleted.returncode, deleted.stderr) == (0, "")
    assert job.database[store.TOKENS].find_one({"user_id": "bob"}) is None
    job.wait_until_all_counted(33)
    job.wait_for("bob's places", lambda: held(job, "bob") == everywhere())
    assert_said(job, NOTHING_SAID, {"ada": LEFT, "bob": None}, (1, 4))
    assert_nothing_learned(job, "bob")

    # it comes again: from Kafka, by another import, after a restart
    job.kill()
    more = create_event(track_id="t007", user_id="bob", at=system_clock())
    send(kafka, kafka.history_topic, all_past)
    send(kafka, kafka.events_topic, [*all_live, more.to_json()])
    job.start()
    job.wait_until_all_counted(63)
    job.wait_for("bob's list", lambda: held(job, "bob") == everywhere("t007"))
    assert is_held(job, "ada", ada)
    assert_said(
        job, {"ada": ada_said, **NOTHING_SAID}, {"ada": LEFT, "bob": None}, (1, 4)
    )
    again = adds_up(job)
    assert (again["n_events"], again["n_duplicates"]) == (12, 29)

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
from segue.tokens import create_token
from segue.track_index import write_track_index
from streaming.archive import read_archive
from tests.conftest import SettingsFactory
from tests.factories import create_event, create_index, seconds
from tests.integration.conftest import StreamingJob
from tests.integration.test_history import ledger_of, send

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.mongo,
    pytest.mark.spark,
    pytest.mark.slow,
]

LAST_YEAR = timedelta(days=365)


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


def assert_nothing_learned(job: StreamingJob, user_id: str) -> None:
    for place in (store.RECOMMENDATIONS, store.TASTES):
        assert job.database[place].find_one({"_id": user_id}) is None
    assert job.database[store.TASTE_DAYS].count_documents({"user_id": user_id}) == 0
    past = job.database[store.TASTE_PAST].find_one({"_id": user_id})
    assert past is not None
    assert past["sums"]["familiar"] == past["sums"]["reactions"] == []
    assert past["sums"]["always"]["weight"] == 0


def done(job: StreamingJob, n_rules: int) -> Callable[[], Any]:
    rules = job.database[store.FORGETS]
    return lambda: rules.count_documents({"done_at": {"$ne": None}}) == n_rules


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
    all_live = [event.to_json() for event in [*live, *bob_live]]
    send(kafka, kafka.history_topic, all_past)
    send(kafka, kafka.events_topic, all_live)
    job.start()
    job.wait_until_all_counted(24)
    job.wait_for("lists", lambda: held(job, "ada")["reasons"])
    assert held(job, "ada")["archive"] == {f"t{n:03d}" for n in range(6)}

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
    job.wait_until_all_counted(27)
    job.wait_for("end of the forgetting", done(job, 3))
    ada = everywhere("t002", "t003", "t004", "t005")
    # the first play of last year is that of another day than the one that is forgotten
    ada = {place: tracks | {"t000"} for place, tracks in ada.items()}
    job.wait_for("ada's places", lambda: is_held(job, "ada", ada))
    create_token(job.database, "bob", system_clock)
    ledger = adds_up(job)
    assert (ledger["n_read"], ledger["n_events"]) == (27, 20)

    deleted = subprocess.run(
        [sys.executable, "-m", "segue", "account", "delete", "bob", "--yes"],
        env={**os.environ, **to_environment(ready)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (deleted.returncode, deleted.stderr) == (0, "")
    assert job.database[store.TOKENS].count_documents({"user_id": "bob"}) == 0
    job.wait_until_all_counted(28)
    job.wait_for("bob's places", lambda: held(job, "bob") == everywhere())
    assert_nothing_learned(job, "bob")

    # it comes again: from Kafka, by another import, after a restart
    job.kill()
    send(kafka, kafka.history_topic, all_past)
    send(kafka, kafka.events_topic, all_live)
    more = create_event(track_id="t007", user_id="bob", at=system_clock())
    send(kafka, kafka.events_topic, [more.to_json()])
    job.start()
    job.wait_until_all_counted(53)
    job.wait_for("bob's list", lambda: held(job, "bob") == everywhere("t007"))
    assert is_held(job, "ada", ada)
    again = adds_up(job)
    assert again["n_events"] == 10
    assert again["n_duplicates"] == 24

"""The history of a listener: a play's last word, in whatever order events come."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pymongo.database import Database

from segue import indexes, store
from segue.events import Action, PlaybackEvent
from streaming.listens import listen_document, write_documents
from tests.factories import START, create_event, seconds

pytestmark = pytest.mark.mongo


def row_of(event: PlaybackEvent, source: str | None = None) -> dict[str, Any]:
    fields = {name: getattr(event, name) for name in PlaybackEvent.__annotations__}
    return fields | {"source": source}


def test_the_last_word_of_a_play_stands_in_any_order(
    database: Database[store.Document],
) -> None:
    said = [
        (Action.PROGRESSED, 30_000, 30),
        (Action.SKIPPED, 40_000, 40),
        (Action.PROGRESSED, 50_000, 50),  # a message that came after the end
    ]
    events = [
        create_event(action, play_id="p", played_ms=ms, at=START + seconds(s))
        for action, ms, s in said
    ]
    for number, order in enumerate(itertools.permutations([*events, events[0]])):
        database[store.LISTENS].drop()
        documents = [listen_document(row_of(event)) for event in order]
        if number % 2:
            write_documents(database, documents)
        else:
            for document in documents:
                write_documents(database, [document])
        (listen,) = database[store.LISTENS].find()
        assert (listen["action"], listen["played_ms"]) == ("skipped", 40_000), number
        assert listen["listened_at"] == START + seconds(40)
        assert listen["_id"] == "ada|p"


def test_what_a_listener_wrote_is_never_a_command(
    database: Database[store.Document],
) -> None:
    event = create_event(track_id="$word", play_id="$$ROOT", user_id="$x")
    source = '{"surface":"$word","artist":{"$gt":1},"$where":"1","title":"$$NOW"}'
    later = event._replace(event_time=START + seconds(1))
    for each in (event, later):  # the first is inserted, the second is a condition
        write_documents(database, [listen_document(row_of(each, source))])
    (listen,) = database[store.LISTENS].find()
    assert (listen["track_id"], listen["listened_at"]) == ("$word", later.event_time)
    assert listen["source"] == {"surface": "$word", "title": "$$NOW"}


def test_listens_are_kept_as_long_as_is_said(
    database: Database[store.Document],
) -> None:
    def kept_s() -> int | None:
        found = database[store.LISTENS].index_information()
        age = found.get("age", {}).get("expireAfterSeconds")
        return None if age is None else int(age)

    for days, expected in (
        (30, 30 * 86_400),
        (90, 90 * 86_400),
        (90, 90 * 86_400),
        (0, None),
    ):
        indexes.keep_listens_for(database, days)
        assert kept_s() == expected


def test_writers_side_by_side_leave_the_last_word(
    database: Database[store.Document],
) -> None:
    documents = [
        listen_document(
            row_of(create_event(play_id=f"p{n % 50}", at=START + seconds(n)))
        )
        for n in range(1000)
    ]
    shares = [documents[start::8] for start in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda share: write_documents(database, share), shares * 2))
    found = {row["_id"]: row["word"] for row in database[store.LISTENS].find()}
    assert found == {document["_id"]: document["word"] for document in documents[-50:]}


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("0.0125", {"propensity": 0.0125}),
        ("1", {"propensity": 1.0}),
        *[(each, {}) for each in ("0", "-0.5", "1.5", "1e300", '"0.5"', "true")],
    ],
)
def test_a_propensity_is_a_probability_or_left_out(
    told: str, kept: dict[str, float]
) -> None:
    source = f'{{"propensity":{told},"rank":3}}'
    listen = listen_document(row_of(create_event(), source))
    assert listen["source"] == {"rank": 3} | kept


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, -(2**63) - 1, 10**30, 1.5])
def test_a_number_that_cannot_be_stored_stays_out(
    database: Database[store.Document], number: float
) -> None:
    source = f'{{"rank":{number},"surface":"radio","list_id":{2**63 - 1}}}'
    write_documents(database, [listen_document(row_of(create_event(), source))])
    (listen,) = database[store.LISTENS].find()
    assert listen["source"] == {"surface": "radio", "list_id": 2**63 - 1}

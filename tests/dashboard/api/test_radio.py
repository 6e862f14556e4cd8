"""The radio over HTTP, on a real MongoDB, a real index and a real model."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from models.horizons import Horizon
from models.taste import Taste, no_taste, taste_from
from models.taste_fields import taste_document
from segue import store
from segue.clock import rfc3339
from segue.roles import Identity, Role
from segue.store import Document
from segue.track_index import create_track_index, write_track_index
from segue.trained_model import FOLDER, write_model
from tests.dashboard.site import Answer, Site
from tests.factories import create_index
from tests.models.models import create_trained

pytestmark = pytest.mark.mongo

INDEX = create_index(n_tracks=60)
JSON = {"Content-Type": "application/json"}
NOW = datetime.now(UTC).replace(microsecond=0)
BEN = Identity("ben", Role.LISTENER)


def library() -> list[Document]:
    return [
        {
            "_id": name,
            "title": f"Tide {row}",
            "artist": f"Artist {row % 12}",
            "artist_id": f"a{row % 12}",
            "album": f"Album {row % 20}",
            "album_id": f"b{row % 20}",
            "recording_id": f"r{row - row % 2}",
            "duration_s": 200.0,
            "path": f"/music/{name}.flac",
        }
        for name, row in INDEX.row_of.items()
    ]


def taste_of_ada(as_of: datetime, heard: str = "t010", **fields: Any) -> Document:
    point = INDEX.vectors[[INDEX.row_of[heard]]].astype(np.float64)
    taste = taste_from(np.array([3.0]), np.array([0.0]), point)
    return {
        "_id": "ada",
        "horizons": {each.value: taste_document(taste, 3) for each in Horizon},
        "seeds": [],
        "newest_event_at": as_of,
        "updated_at": as_of,
        "index_version": INDEX.version,
        "model_version": None,
        **fields,
    }


@pytest.fixture
def radio(site: Site) -> Site:
    """A site whose library has an index."""
    database = site.database
    database[store.TRACKS].delete_many({})
    store.upsert(database, store.TRACKS, library())
    artists = [{"_id": f"a{n}", "name": f"Artist {n}"} for n in range(12)]
    store.upsert(database, store.ARTISTS, artists)
    albums = [{"_id": f"b{n}", "name": f"Album {n}"} for n in range(20)]
    store.upsert(database, store.ALBUMS, albums)
    store.touch_catalogue(database)
    write_track_index(site.library.parent / "home" / "index", INDEX)
    return site


def ask(site: Site, who: Identity | None = None, **body: Any) -> Answer:
    body = {"seed": {"kind": "track", "key": "t003"}} | body
    named = {} if who is None else {"who": who}
    return site.ask("/api/radio", "POST", json.dumps(body).encode(), JSON, **named)


def told(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def ids_of(answer: Answer) -> list[str]:
    return [item["track_id"] for item in told(answer)["items"]]


def error_of(answer: Answer) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]["reason"]


def test_a_radio_from_a_track_begins_there_and_says_why(radio: Site) -> None:
    found = told(ask(radio, heard=[]))
    assert found["name"] == "Tide 3"
    assert found["as_of"] is None
    items = found["items"]
    cosines = INDEX.vectors @ INDEX.vectors[3]
    nearest = [INDEX.track_ids[row] for row in np.argsort(-cosines)]
    assert [item["track_id"] for item in items[:2]] == ["t003", nearest[1]]
    assert [item["rank"] for item in items] == list(range(1, 21))
    assert items[0]["reason"] == "Where this radio begins"
    assert items[1]["reason"] == "Sounds like Tide 3"
    assert items[1]["title"] == f"Tide {int(nearest[1][1:])}"
    assert items[1]["duration_ms"] == 200_000
    for item in items:
        assert sum(item["parts"].values()) == pytest.approx(item["score"], abs=1e-9)
    recordings = [int(item["track_id"][1:]) // 2 for item in items]
    assert len(set(recordings)) == len(recordings) == 20
    assert "t003" not in ids_of(ask(radio, heard=["t003"]))


def test_it_says_what_has_changed_and_draws_rows(radio: Site) -> None:
    first = told(ask(radio, heard=["t003"]))
    assert (first["came"], first["left"], "rows" in first) == ([], [], False)
    before = [item["track_id"] for item in first["items"]]
    heard = ["t003", before[0]]
    after = told(ask(radio, heard=heard, before=before, variety=1, rows=True))
    now = [item["track_id"] for item in after["items"]]
    assert after["came"] == [name for name in now if name not in before]
    assert after["left"] == [name for name in before[1:] if name not in now]
    assert after["came"]
    assert after["left"]
    assert [row["props"]["data-track-id"] for row in after["rows"]] == now
    text = json.dumps(after["rows"])
    assert "moved moved-new" in text
    assert after["items"][0]["reason"] in text


@pytest.mark.parametrize(
    ("kind", "key", "name"),
    [("artist", "a5", "Artist 5"), ("album", "b7", "Album 7")],
)
def test_a_radio_from_many_tracks_has_a_few_seeds_among_them(
    radio: Site, kind: str, key: str, name: str
) -> None:
    found = told(ask(radio, seed={"kind": kind, "key": key}))
    assert found["name"] == name
    field = f"{kind}_id"
    own = [each["title"] for each in library() if each[field] == key]
    assert found["items"][0]["title"] in own
    begins = "Where this radio begins"
    reasons = {each["title"]: each["reason"] for each in found["items"]}
    assert {title for title, each in reasons.items() if each == begins} <= set(own)
    others = {each for each in reasons.values() if each != begins}
    assert {each.removeprefix("Sounds like ") for each in others} <= set(own)


def test_a_playlist_is_its_listeners_alone(radio: Site) -> None:
    mine = {"_id": "ada|p1", "user_id": "ada", "name": "Dawn", "track_ids": ["t020"]}
    gone = {**mine, "_id": "ada|p2", "deleted_at": NOW}
    store.upsert(radio.database, store.PLAYLISTS, [mine, gone])
    seed = {"kind": "playlist", "key": "p1"}
    found = told(ask(radio, seed=seed))
    assert (found["name"], found["items"][0]["track_id"]) == ("Dawn", "t020")
    assert error_of(ask(radio, BEN, seed=seed)) == (404, "no_playlist")
    deleted = ask(radio, seed={"kind": "playlist", "key": "p2"})
    assert error_of(deleted) == (404, "no_playlist")


def test_the_taste_of_now_is_the_listeners_own(radio: Site) -> None:
    store.upsert(radio.database, store.TASTES, [taste_of_ada(NOW)])
    seed = {"kind": "taste"}
    found = told(ask(radio, seed=seed, variety=0))
    assert found["name"] == "My taste now"
    assert found["as_of"] == rfc3339(NOW)
    assert found["items"][0]["track_id"] == "t010"
    assert found["items"][0]["reason"] == "Close to what you play now"
    assert error_of(ask(radio, BEN, seed=seed)) == (404, "no_taste")
    old = taste_of_ada(NOW)
    nothing = _fields(no_taste(INDEX.vectors.shape[1]))
    always = old["horizons"]["always"]
    old["horizons"] = {**dict.fromkeys(Horizon, nothing), "always": always}
    store.upsert(radio.database, store.TASTES, [old])
    first = told(ask(radio, seed=seed, variety=0))["items"][0]
    assert first["reason"] == "Close to what you have played over time"


def test_what_is_blocked_or_disliked_never_comes(radio: Site) -> None:
    everything = ids_of(ask(radio, n=50))
    first = everything[0]
    reactions = [
        {"_id": "ada|t003", "user_id": "ada", "track_id": "t003", "action": "disliked"},
        {"_id": f"ben|{first}", "user_id": "ben", "track_id": first, "action": "liked"},
    ]
    blocks = [
        _block("ada", "artist", "t005", "blocked", 0),
        _block("ada", "album", "t027", "blocked", 1),
        _block("ada", "track", "t030", "blocked", 2),
        _block("ada", "artist", "t008", "blocked", 3),
        # by another track of the artist
        _block("ada", "artist", "t020", "unblocked", 4),
        _block("ben", "artist", "t004", "blocked", 5),
    ]
    store.upsert(radio.database, store.REACTIONS, reactions)
    store.upsert(radio.database, store.BLOCKS, blocks)
    left = {int(name[1:]) for name in ids_of(ask(radio, n=50))}
    assert not left & {2, 3, 30, 31}  # with their copies
    assert not {row for row in left if row % 12 == 5 or row % 20 == 7}
    assert {row for row in left if row % 12 == 8}
    assert {row for row in left if row % 12 == 4}


def _block(user: str, scope: str, track: str, action: str, at_s: int) -> Document:
    about = {"user_id": user, "scope": scope, "track_id": track}
    at = NOW + timedelta(seconds=at_s)
    return {"_id": f"{user}|{scope}|{track}", **about, "action": action, "at": at}


def test_a_skip_changes_what_comes_until_the_taste_has_it(radio: Site) -> None:
    store.upsert(radio.database, store.TASTES, [taste_of_ada(NOW)])
    before = told(ask(radio, heard=["t003"], variety=0))
    skipped = before["items"][0]["track_id"]
    at = NOW + timedelta(seconds=1)
    skip = {"track_id": skipped, "at": rfc3339(at), "played_ms": 2000}
    heard = ["t003", skipped]
    asked: dict[str, Any] = {"heard": heard, "skipped": [skip], "variety": 0}
    after = told(ask(radio, **asked))
    left = [i["track_id"] for i in after["items"]]
    assert skipped not in left
    assert left != [i["track_id"] for i in before["items"][1:]][: len(left)]
    assert all(item["parts"]["skips"] != 0 for item in after["items"])
    # the stream has seen it: what it says now counts, and nothing twice
    store.upsert(radio.database, store.TASTES, [taste_of_ada(at)])
    seen = told(ask(radio, **asked))
    assert seen["as_of"] == rfc3339(at)
    assert all(item["parts"]["skips"] == 0 for item in seen["items"])
    # most of it was heard, and that speaks for it
    long = {**skip, "at": rfc3339(at + timedelta(seconds=1)), "played_ms": 190_000}
    long["duration_ms"] = 200_000
    kept = told(ask(radio, heard=heard, skipped=[long], variety=0))
    assert all(item["parts"]["skips"] == 0 for item in kept["items"])


def test_the_dials_turn_the_list(radio: Site) -> None:
    day = datetime(2026, 5, 1, tzinfo=UTC)
    known = [f"t{n:03d}" for n in range(0, 60, 4)]
    familiar = [{"track_id": name, "weight": 1.0, "day": day} for name in known]
    past = {"_id": "ada", "sums": {"familiar": familiar}}
    store.upsert(radio.database, store.TASTE_PAST, [past])
    numbers = [
        len(set(known).intersection(ids_of(ask(radio, familiar=dial, variety=0))))
        for dial in (-1, 0, 1)
    ]
    assert numbers == sorted(numbers)
    assert numbers[0] < numbers[2]
    likeness = [_likeness(ids_of(ask(radio, variety=dial))) for dial in (0, 1)]
    assert likeness[1] < likeness[0]


def _likeness(ids: list[str]) -> float:
    points = INDEX.vectors[[INDEX.row_of[name] for name in ids]]
    return float((points @ points.T)[np.triu_indices(len(ids), 1)].mean())


def test_what_was_heard_lately_elsewhere_waits(radio: Site) -> None:
    first = ids_of(ask(radio, heard=["t003"]))[0]
    listen = {
        "_id": "ada|p",
        "user_id": "ada",
        "track_id": first,
        "listened_at": datetime.now(UTC) - timedelta(minutes=5),
        "weight": 1.0,
    }
    store.upsert(radio.database, store.LISTENS, [listen])
    assert first not in ids_of(ask(radio, heard=["t003"]))


def test_others_who_play_it_have_a_say(radio: Site) -> None:
    home = radio.library.parent / "home"
    write_model(home / FOLDER, create_trained(INDEX))
    items = told(ask(radio, heard=["t003"], n=50))["items"]
    near = [item for item in items if item["parts"]["neighbours"] >= 0.05]
    assert near
    said = [item["reason"] for item in near]
    assert any("; listeners of Tide 3 play it too" in each for each in said)
    assert not any("your taste" in each or "you played" in each for each in said)


def test_a_taste_of_another_space_has_no_say(radio: Site) -> None:
    three = {each.value: _fields(no_taste(3)) for each in Horizon}
    old = taste_of_ada(NOW, index_version="old", horizons=three)
    store.upsert(radio.database, store.TASTES, [old])
    found = told(ask(radio, heard=["t003"]))
    assert all(item["parts"]["now"] == 0 for item in found["items"])
    assert found["items"][0]["parts"]["seeds"] > 0.6


def _fields(taste: Taste) -> Document:
    return taste_document(taste, 0)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"seed": {"kind": "mood", "key": "x"}}, 400, "wrong_kind"),
        ({"seed": {"kind": "track"}}, 400, "missing_field"),
        ({"seed": {"kind": "track", "key": {"$ne": 1}}}, 400, "wrong_type"),
        ({"seed": {"kind": "track", "key": "x" * 129}}, 400, "too_long"),
        ({"seed": {"kind": "track", "key": "gone"}}, 404, "no_track"),
        ({"seed": {"kind": "artist", "key": "gone"}}, 404, "no_artist"),
        ({"seed": {"kind": "album", "key": "gone"}}, 404, "no_album"),
        ({"seed": {"kind": "playlist", "key": "gone"}}, 404, "no_playlist"),
        ({"seed": {"kind": "track", "key": "new"}}, 404, "not_analysed"),
        ({"seed": "track"}, 400, "wrong_type"),
        ({"familiar": 1.5}, 400, "wrong_value"),
        ({"familiar": "x"}, 400, "wrong_type"),
        ({"variety": -0.1}, 400, "wrong_value"),
        ({"variety": True}, 400, "wrong_type"),
        ({"n": 51}, 400, "wrong_value"),
        ({"n": 0}, 400, "wrong_value"),
        ({"heard": ["x"] * 201}, 400, "too_long"),
        ({"heard": [3]}, 400, "wrong_type"),
        ({"before": ["x"] * 51}, 400, "too_long"),
        ({"skipped": ["t001"]}, 400, "wrong_type"),
        ({"skipped": [{"track_id": "t001"}]}, 400, "missing_field"),
        ({"skipped": [{"track_id": "t001", "at": "now"}]}, 400, "bad_time"),
        (
            {"skipped": [{"track_id": "t1", "at": rfc3339(NOW), "action": "liked"}]},
            400,
            "wrong_value",
        ),
    ],
)
def test_what_cannot_be_is_said(
    radio: Site, body: dict[str, Any], status: int, reason: str
) -> None:
    new = {**library()[0], "_id": "new", "title": "New"}
    store.upsert(radio.database, store.TRACKS, [new])
    answer = ask(radio, **body)
    assert error_of(answer) == (status, reason)
    assert len(json.loads(answer.body)["error"]["detail"]) > 10


def test_what_is_no_json_is_said(radio: Site) -> None:
    assert error_of(radio.ask("/api/radio", "POST", b"[]", JSON)) == (400, "not_object")


def test_before_anything_was_analysed_a_sentence_says_so(site: Site) -> None:
    assert error_of(ask(site)) == (503, "no_index")


def test_a_new_index_is_taken_without_a_restart(radio: Site) -> None:
    assert len(ids_of(ask(radio, n=50))) > 20
    ids = INDEX.track_ids[:10]
    small = create_track_index("small", ids, INDEX.vectors[:10])
    write_track_index(radio.library.parent / "home" / "index", small)
    assert set(ids_of(ask(radio, n=50))) <= set(ids)

"""What somebody has said of tracks, over HTTP: theirs alone, as it stands now."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from segue import store
from segue.roles import Identity, Role
from tests.dashboard.site import ADA, Site

pytestmark = pytest.mark.mongo

BEN = Identity("ben", Role.LISTENER)
NOON = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)


def react(
    site: Site, track_id: str, action: str = "liked", s: float = 0, who: str = "ada"
) -> None:
    """Store a reaction as the stream does."""
    document = {"_id": f"{who}|{track_id}", "user_id": who, "track_id": track_id}
    said = {"action": action, "at": NOON + timedelta(seconds=s)}
    store.upsert(site.database, store.REACTIONS, [document | said])


def block(
    site: Site, scope: str, track_id: str, *, s: float = 0, is_on: bool = True
) -> None:
    """Store a block as the stream does."""
    name = f"ada|{scope}|{track_id}"
    document = {"_id": name, "user_id": "ada", "scope": scope, "track_id": track_id}
    action = "blocked" if is_on else "unblocked"
    said = {"action": action, "at": NOON + timedelta(seconds=s)}
    store.upsert(site.database, store.BLOCKS, [document | said])


def told(site: Site, who: Identity = ADA) -> Any:
    answer = site.ask("/api/reactions", who=who)
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    return json.loads(answer.body)


def test_reactions_are_told_the_newest_first_and_to_nobody_else(site: Site) -> None:
    react(site, "t1", s=1)
    react(site, "t2", s=2)
    react(site, "t3", "disliked", s=3)
    react(site, "t4", "unliked", s=4)
    react(site, "t5", who="ben")
    mine = told(site)
    assert (mine["liked"], mine["disliked"]) == (["t2", "t1"], ["t3"])
    assert set(mine["said_at"]) == {"t1", "t2", "t3", "t4"}
    assert mine["said_at"]["t4"] == "2026-05-03T12:00:04.000Z"
    assert told(site, BEN)["liked"] == ["t5"]


def test_the_last_word_on_an_artist_counts_by_whichever_track(site: Site) -> None:
    tracks = site.database[store.TRACKS]
    for n in range(6):
        ids = {"artist_id": f"a{n // 2}", "album_id": f"b{n // 3}"}
        tracks.update_one({"_id": f"t{n}"}, {"$set": ids})
    block(site, "artist", "t0", s=1)  # of a0, unblocked by another track
    block(site, "artist", "t1", s=2, is_on=False)
    block(site, "artist", "t2", s=2)  # of a1, blocked once more by another
    block(site, "artist", "t3", s=3)
    block(site, "album", "t0", s=4)
    block(site, "track", "t5", s=5)
    block(site, "artist", "gone", s=6)
    tracks.update_one({"_id": "t5"}, {"$set": {"recording_id": "t4"}})
    block(site, "track", "t4", s=4.5, is_on=False)  # the same recording, but before
    assert told(site)["blocked"] == [
        {"scope": "artist", "key": "gone", "track_id": "gone"},
        {"scope": "track", "key": "t4", "track_id": "t5"},
        {"scope": "album", "key": "b0", "track_id": "t0"},
        {"scope": "artist", "key": "a1", "track_id": "t3"},
    ]


def test_what_is_told_has_an_end(site: Site) -> None:
    rows = [
        {
            "_id": f"ada|x{n:05d}",
            "user_id": "ada",
            "track_id": f"x{n:05d}",
            "action": "liked",
            "at": NOON + timedelta(seconds=n),
        }
        for n in range(5_100)
    ]
    site.database[store.REACTIONS].insert_many(rows)
    liked = told(site)["liked"]
    assert (len(liked), liked[0], liked[-1]) == (5_000, "x05099", "x00100")

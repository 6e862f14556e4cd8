"""Playlists over HTTP: each change, who may make it, and files there and back."""

import json
import time
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from dashboard.playlist_edits import MAX_TRACKS
from dashboard.playlist_files import MAX_FILE_BYTES
from dashboard.playlists import MAX_PLAYLISTS
from segue import store
from segue.clock import system_clock
from segue.roles import Identity, Role
from segue.track_names import name_id_of
from tests.dashboard.site import ADA, Answer, Site

pytestmark = pytest.mark.mongo

BEN = Identity("ben", Role.LISTENER)
JSON = {"Content-Type": "application/json"}
FILE = {"Content-Type": "application/octet-stream"}
EDITS: dict[str, dict[str, Any]] = {
    "rename": {"was": "Night", "name": "Day"},
    "add": {"track_ids": ["t3"]},
    "remove": {"place": 0, "track_id": "t1", "version": 1},
    "move": {"place": 0, "track_id": "t1", "version": 1, "to": 1},
    "delete": {},
    "undelete": {},
    "share": {},
    "unshare": {},
}


def post(
    site: Site, path: str, told: object = None, who: Identity | None = ADA
) -> Answer:
    body = json.dumps({} if told is None else told).encode()
    return site.ask(f"/api/{path}", "POST", body, JSON, who)


def done(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, str(json.loads(answer.body)["error"]["reason"])


def make(site: Site, *track_ids: str, name: str = "Night") -> str:
    told = {"name": name, "track_ids": list(track_ids)} if track_ids else {"name": name}
    return str(done(post(site, "playlists", told))["key"])


def read(site: Site, key: str, who: Identity = ADA) -> Any:
    return done(site.ask(f"/api/playlists/{key}", who=who))


def ids(site: Site, key: str) -> list[str]:
    return [each["track_id"] for each in read(site, key)["tracks"]]


def names(site: Site, who: Identity = ADA) -> list[str]:
    told = done(site.ask("/api/playlists", who=who))
    return [each["name"] for each in told["playlists"]]


def upload(site: Site, content: bytes, name: str = "mine.m3u") -> Answer:
    path = f"/api/playlists/import?name={quote(name)}"
    return site.ask(path, "POST", content, FILE)


def test_a_playlist_is_made_edited_and_read(site: Site) -> None:
    key = make(site, "t1", "t2")
    assert done(post(site, f"playlists/{key}/add", {"track_ids": ["t3", "t1"]})) == {
        "key": key,
        "name": "Night",
        "version": 2,
        "n_tracks": 4,
        "at": 2,
    }
    row = {"place": 3, "track_id": "t1", "version": 2}
    assert done(post(site, f"playlists/{key}/move", {**row, "to": 0}))["version"] == 3
    assert ids(site, key) == ["t1", "t1", "t2", "t3"]
    row = {"place": 1, "track_id": "t1", "version": 3}
    assert done(post(site, f"playlists/{key}/remove", row))["at"] == 1
    put = {"track_ids": ["t5"], "at": 1}
    assert done(post(site, f"playlists/{key}/add", put))["at"] == 1
    assert ids(site, key) == ["t1", "t5", "t2", "t3"]
    told = {"was": "Night", "name": " Late  <b>night</b> "}
    renamed = done(post(site, f"playlists/{key}/rename", told))
    assert renamed["name"] == "Late <b>night</b>"
    kept = site.database[store.PLAYLISTS].find_one({"_id": f"ada|{key}"})
    assert kept is not None
    assert kept["duration_ms"] == 16_000
    assert names(site) == ["Late <b>night</b>"]


def test_two_tabs_lose_nothing_of_each_other(site: Site) -> None:
    """The second tab has seen version 1 only."""
    key = make(site, "t1", "t2", "t3")
    done(post(site, f"playlists/{key}/add", {"track_ids": ["t4"], "at": 0}))
    stale = {"place": 1, "track_id": "t2", "version": 1}
    answer = post(site, f"playlists/{key}/move", {**stale, "to": 0})
    assert refused(answer) == (409, "changed_meanwhile")
    assert b"changed meanwhile, in another tab perhaps" in answer.body
    # what is there once is clear
    assert done(post(site, f"playlists/{key}/remove", stale))["at"] == 2
    assert ids(site, key) == ["t4", "t1", "t3"]
    gone = post(site, f"playlists/{key}/remove", stale)
    assert refused(gone) == (409, "changed_meanwhile")
    other = {"was": "Before", "name": "After"}
    answer = post(site, f"playlists/{key}/rename", other)
    assert refused(answer) == (409, "changed_meanwhile")
    assert ids(site, key) == ["t4", "t1", "t3"]


def test_a_deleted_playlist_can_be_had_back_for_a_day(site: Site) -> None:
    key = make(site, "t1", "t2")
    token = done(post(site, f"playlists/{key}/share"))["shared"]
    done(post(site, f"playlists/{key}/delete"))
    assert names(site) == []
    assert site.ask(f"/api/playlists/{key}").status == 404
    assert site.ask(f"/api/shared/{token}").status == 404
    assert post(site, f"playlists/{key}/rename", EDITS["rename"]).status == 404
    done(post(site, f"playlists/{key}/undelete"))
    assert ids(site, key) == ["t1", "t2"]
    assert site.ask(f"/api/shared/{token}").status == 200
    done(post(site, f"playlists/{key}/undelete"))  # again: nothing more happens
    done(post(site, f"playlists/{key}/delete"))
    playlists = site.database[store.PLAYLISTS]
    past = system_clock() - timedelta(days=1, seconds=1)
    playlists.update_one({"_id": f"ada|{key}"}, {"$set": {"deleted_at": past}})
    assert refused(post(site, f"playlists/{key}/undelete")) == (404, "no_playlist")
    ages = [
        each["expireAfterSeconds"]
        for each in playlists.index_information().values()
        if "expireAfterSeconds" in each
    ]
    assert ages == [86_400]


def test_nobody_else_reads_or_changes_a_playlist(site: Site) -> None:
    key = make(site, "t1", "t2")
    nothing = "0" * 16
    for name, told in EDITS.items():
        theirs = post(site, f"playlists/{key}/{name}", told, BEN)
        none = post(site, f"playlists/{nothing}/{name}", told, BEN)
        assert refused(theirs) == (404, "no_playlist")
        assert theirs.body == none.body  # nobody learns what is there
    for path in (f"/api/playlists/{key}", f"/api/playlists/{key}/export?form=m3u"):
        assert site.ask(path, who=BEN).status == 404
    assert names(site, BEN) == []
    assert ids(site, key) == ["t1", "t2"]


def test_a_shared_playlist_is_read_and_copied_until_its_link_is_taken_away(
    site: Site,
) -> None:
    key = make(site, "t1", "t2")
    token = done(post(site, f"playlists/{key}/share"))["shared"]
    assert done(post(site, f"playlists/{key}/share"))["shared"] == token
    assert len(token) == 22
    shared = done(site.ask(f"/api/shared/{token}", who=BEN))
    assert [each["track_id"] for each in shared["tracks"]] == ["t1", "t2"]
    assert "shared" not in shared
    assert site.ask(f"/api/shared/{token}", who=None).status == 401
    site.database[store.TRACKS].delete_one({"_id": "t2"})
    copy = done(post(site, f"shared/{token}/copy", who=BEN))
    assert (copy["name"], copy["n_tracks"]) == ("Night", 1)
    assert names(site, BEN) == ["Night"]
    assert post(site, f"playlists/{key}/rename", EDITS["rename"], BEN).status == 404
    done(post(site, f"playlists/{key}/unshare"))
    assert site.ask(f"/api/shared/{token}", who=BEN).status == 404
    assert post(site, f"shared/{token}/copy", who=BEN).status == 404
    assert done(post(site, f"playlists/{key}/share"))["shared"] != token


@pytest.mark.parametrize(
    ("edit", "told", "reason"),
    [
        ("rename", {"was": "Night"}, "wrong_type"),
        ("rename", {"was": "Night", "name": {"$ne": 1}}, "wrong_type"),
        ("rename", {"was": "Night", "name": "\u0000 "}, "no_name"),
        ("rename", {"was": "Night", "name": "x" * 201}, "name_too_long"),
        ("add", {"track_ids": "t1"}, "wrong_type"),
        ("add", {"track_ids": []}, "wrong_type"),
        ("add", {"track_ids": [1]}, "wrong_type"),
        ("add", {"track_ids": ["\ud800"]}, "wrong_type"),
        ("add", {"track_ids": ["x" * 129]}, "wrong_type"),
        ("add", {"track_ids": ["t1"] * (MAX_TRACKS + 1)}, "wrong_type"),
        ("add", {"track_ids": ["t1"] * MAX_TRACKS}, "too_many_tracks"),
        ("add", {"track_ids": ["nowhere"]}, "unknown_track"),
        ("add", {"track_ids": ["t1"], "at": -1}, "wrong_type"),
        ("add", {"track_ids": ["t1"], "at": True}, "wrong_type"),
        ("remove", {"place": 5, "track_id": "t1", "version": 1}, "wrong_place"),
        ("remove", {"place": 0, "track_id": "t2", "version": 1}, "wrong_place"),
        ("remove", {"place": 0, "track_id": "t1"}, "wrong_type"),
        ("move", {**EDITS["move"], "to": 2}, "wrong_place"),
        ("move", {**EDITS["move"], "to": 1.5}, "wrong_type"),
        ("move", [], "not_object"),
    ],
)
def test_a_wrong_edit_changes_nothing(
    site: Site, edit: str, told: Any, reason: str
) -> None:
    key = make(site, "t1", "t2")
    assert refused(post(site, f"playlists/{key}/{edit}", told)) == (400, reason)
    found = read(site, key)
    assert (found["version"], found["name"], ids(site, key)) == (
        1,
        "Night",
        ["t1", "t2"],
    )


def test_a_listener_has_so_many_playlists(site: Site) -> None:
    now = system_clock()
    many = [
        {
            "_id": f"ada|{number:016x}",
            "user_id": "ada",
            "name": "x",
            "track_ids": [],
            "duration_ms": 0,
            "version": 1,
            "changed_at": now,
        }
        for number in range(MAX_PLAYLISTS)
    ]
    site.database[store.PLAYLISTS].insert_many(many)
    answer = post(site, "playlists", {"name": "One more"})
    assert refused(answer) == (400, "too_many_playlists")
    done(post(site, f"playlists/{0:016x}/delete"))
    make(site)
    answer = post(site, f"playlists/{0:016x}/undelete")
    assert refused(answer) == (400, "too_many_playlists")
    assert done(post(site, "playlists", {"name": "Mine"}, BEN))["version"] == 1


def test_an_account_takes_its_playlists_along(site: Site) -> None:
    told = {"name": "ben", "password": "seven swans"}
    cookie = post(site, "sign-up", told, None).headers["set-cookie"]
    mine = {**JSON, "Cookie": cookie.replace("\n", "; ")}
    body = json.dumps({"name": "Night", "track_ids": ["t1"]}).encode()
    assert site.ask("/api/playlists", "POST", body, mine, None).status == 200
    make(site, "t1")
    body = json.dumps({"password": "seven swans"}).encode()
    assert site.ask("/api/delete-account", "POST", body, mine, None).status == 200
    kept = site.database[store.PLAYLISTS].distinct("user_id")
    assert kept == ["ada"]


def test_tracks_that_are_gone_are_told_not_an_error(site: Site) -> None:
    key = make(site, "t1", "t2", "t3")
    tracks = site.database[store.TRACKS]
    tracks.delete_one({"_id": "t1"})
    tracks.update_one({"_id": "t2"}, {"$set": {"missing": True}})
    rows = read(site, key)["tracks"]
    assert [(r["track_id"], r["title"], r["is_gone"]) for r in rows] == [
        ("t1", "", True),
        ("t2", "Sweep 2", True),
        ("t3", "Sweep 3", False),
    ]
    for form in ("m3u", "jspf"):
        text = site.ask(f"/api/playlists/{key}/export?form={form}").body.decode()
        assert text.count("urn:segue:track:t1") == 1
    row = {"place": 0, "track_id": "t1", "version": 1}
    done(post(site, f"playlists/{key}/remove", row))
    assert ids(site, key) == ["t2", "t3"]


@pytest.mark.parametrize("form", ["m3u", "jspf"])
def test_what_is_exported_is_imported_the_same(site: Site, form: str) -> None:
    key = make(site, "t3", "t1", "t3", "t0", name='Ümläut/"x"')
    answer = site.ask(f"/api/playlists/{key}/export?form={form}")
    told = answer.headers["content-disposition"]
    suffix = {"m3u": "m3u8", "jspf": "jspf"}[form]
    assert told.startswith(f'attachment; filename="_ml_ut x.{suffix}"')
    assert str(site.library) not in answer.body.decode()
    back = done(upload(site, answer.body, f"x.{suffix}"))
    assert (back["matched"], back["unmatched"]) == (4, [])
    assert back["playlist"]["name"] == 'Ümläut/"x"'
    assert ids(site, back["playlist"]["key"]) == ["t3", "t1", "t3", "t0"]
    wrong = site.ask(f"/api/playlists/{key}/export?form=pls")
    assert refused(wrong) == (400, "wrong_form")


def test_a_file_of_another_program_finds_its_tracks(site: Site) -> None:
    """By path, by name, by file name; what is not found is told."""
    tracks = site.database[store.TRACKS]
    for number in range(6):
        name = {"name_id": name_id_of(f"Artist {number // 2}", f"Sweep {number}")}
        path = {"path": f"/srv/Sines {number}/0{number} tone.flac"}
        tracks.update_one({"_id": f"t{number}"}, {"$set": name | path})
    tracks.update_one({"_id": "t5"}, {"$set": {"path": "/srv/x/01 Tone.flac"}})
    text = "\r\n".join(
        (
            "#EXTM3U",
            "#EXTINF:4,Somebody - Something",
            r"D:\Music\SINES 2\02 Tone.flac",  # t2, by its folder
            "#EXTINF:4,ARTIST 1 - sweep 3 (Remastered)",
            "../nowhere/track.mp3",  # t3, by its name
            "03%20tone.flac",  # t3, the one file of that name
            "#EXTINF:999,",
            "04 tone.flac",  # t4 has that name, but not that length
            "01 tone.flac",  # two files have that name
            "#EXTINF:4,Nobody - Nothing",
            "file:///x/y.mp3",
        )
    )
    found = done(upload(site, text.encode("latin-1"), "Mixtape.m3u"))
    assert ids(site, found["playlist"]["key"]) == ["t2", "t3", "t3"]
    assert found["matched"] == 3
    assert found["unmatched"] == ["04 tone.flac", "01 tone.flac", "Nobody - Nothing"]
    assert found["playlist"]["name"] == "Mixtape"


def test_of_two_with_one_name_the_duration_decides(site: Site) -> None:
    tracks = site.database[store.TRACKS]
    same = {"title": "Same", "artist": "Both", "name_id": name_id_of("Both", "Same")}
    tracks.update_one({"_id": "t1"}, {"$set": same | {"duration_s": 100.0}})
    tracks.update_one({"_id": "t2"}, {"$set": same | {"duration_s": 200.0}})
    told = [
        {"creator": "Both", "title": "Same", "duration": ms} for ms in (199_000, 98_000)
    ]
    file = {"playlist": {"title": "", "track": told}}
    found = done(upload(site, json.dumps(file).encode(), "x.jspf"))
    assert ids(site, found["playlist"]["key"]) == ["t2", "t1"]
    assert found["playlist"]["name"] == "x"


def test_a_file_of_which_nothing_is_found_makes_no_playlist(site: Site) -> None:
    found = done(upload(site, b"nothing.mp3\n"))
    assert found == {"matched": 0, "unmatched": ["nothing.mp3"], "playlist": None}
    assert names(site) == []


def test_a_file_that_cannot_be_taken_is_refused_with_a_sentence(site: Site) -> None:
    answer = upload(site, b"#EXTM3U\n#EXTINF:x,A\n")
    assert refused(answer) == (400, "bad_file")
    assert b"line 2" in answer.body
    assert upload(site, b"x" * MAX_FILE_BYTES).status == 400  # one long line
    answer = upload(site, b"x\n" * 5_000_000)
    assert refused(answer) == (413, "too_large")
    assert b"at most 1000000 bytes are taken" in answer.body
    body = json.dumps({"name": "x" * 10_000_000}).encode()
    assert site.ask("/api/playlists", "POST", body, JSON).status == 413
    plain = {"Content-Type": "text/plain"}
    answer = site.ask("/api/playlists/import", "POST", b"t.mp3", plain)
    assert refused(answer) == (415, "wrong_type")


def test_five_thousand_tracks_are_edited_at_once(site: Site) -> None:
    many = [
        {"_id": f"m{n}", "title": "x", "duration_s": 1.0} for n in range(MAX_TRACKS)
    ]
    site.database[store.TRACKS].insert_many(many)
    key = make(site, *(f"m{n}" for n in range(MAX_TRACKS)))
    took_ms = []
    for number in range(20):
        version, at = 1 + 3 * number, {"place": MAX_TRACKS - 1}
        row = {**at, "track_id": f"m{MAX_TRACKS - 1 - number}", "version": version}
        first = {**row, "place": 0, "version": version + 1}
        for edit, told in (
            ("move", {**row, "to": 0}),
            ("remove", first),
            ("add", {"track_ids": [row["track_id"]], "at": 0}),
        ):
            started = time.perf_counter()
            done(post(site, f"playlists/{key}/{edit}", told))
            took_ms.append((time.perf_counter() - started) * 1000)
    assert sorted(took_ms)[len(took_ms) // 2] < 100, took_ms
    assert read(site, key)["n_tracks"] == MAX_TRACKS
    kept = site.database[store.PLAYLISTS].find_one({"_id": f"ada|{key}"})
    assert kept is not None
    assert kept["duration_ms"] == MAX_TRACKS * 1000

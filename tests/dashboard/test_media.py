from pathlib import Path

import pytest

from dashboard.sent_files import find_file
from segue import store
from segue.catalog import MIME_TYPES
from tests.dashboard.site import Site

pytestmark = pytest.mark.mongo


def _content(site: Site, number: int = 1) -> bytes:
    return (site.library / f"track{number}.wav").read_bytes()


def test_the_whole_file_comes_with_its_type(site: Site) -> None:
    answer = site.ask("/media/t1")
    assert (answer.status, answer.body) == (200, _content(site))
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=1000-", slice(1000, None)),
        ("bytes=-50", slice(-50, None)),
        ("bytes=10000-99999999", slice(10_000, None)),
    ],
)
def test_a_part_is_that_part(site: Site, header: str, part: slice) -> None:
    whole = _content(site)
    answer = site.ask("/media/t1", headers={"Range": header})
    first = range(len(whole))[part][0]
    assert (answer.status, answer.body) == (206, whole[part])
    size = len(answer.body)
    wanted = f"bytes {first}-{first + size - 1}/{len(whole)}"
    assert answer.headers["content-range"] == wanted


def test_a_part_behind_the_end_is_416_with_the_size(site: Site) -> None:
    answer = site.ask("/media/t1", headers={"Range": "bytes=99999999-"})
    size = len(_content(site))
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{size}")


@pytest.mark.parametrize("header", ["bytes=5-2", "lines=1-2", "bytes=0-1,4-5", "x"])
def test_a_range_that_is_not_understood_is_ignored(site: Site, header: str) -> None:
    assert site.ask("/media/t1", headers={"Range": header}).status == 200


def test_what_the_browser_has_is_not_sent_again(site: Site) -> None:
    etag = site.ask("/media/t1").headers["etag"]
    answer = site.ask("/media/t1", headers={"If-None-Match": f'"other", W/{etag}'})
    assert (answer.status, answer.body) == (304, b"")


def test_a_part_of_another_version_is_not_mixed_in(site: Site) -> None:
    etag = site.ask("/media/t1").headers["etag"]
    part = {"Range": "bytes=0-9"}
    assert site.ask("/media/t1", headers={**part, "If-Range": etag}).status == 206
    assert site.ask("/media/t1", headers={**part, "If-Range": '"old"'}).status == 200


def test_head_has_the_length_and_no_body(site: Site) -> None:
    answer = site.ask("/media/t1", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == str(len(_content(site)))


@pytest.mark.parametrize(
    "path",
    [
        "/media/unknown",
        "/media/../conf/segue.toml",
        "/media/..%2f..%2fetc%2fpasswd",
        "/media/%2fetc%2fpasswd",
        "/media/" + "x" * 500,
    ],
)
def test_an_address_is_no_path(site: Site, path: str) -> None:
    answer = site.ask(path)
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("application/json")


def test_a_file_outside_its_library_is_not_sent(site: Site, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"RIFF")
    (site.library / "link.wav").symlink_to(secret)
    tracks = site.database[store.TRACKS]
    for path in (secret, site.library / "link.wav", site.library / ".." / "secret.wav"):
        tracks.update_one({"_id": "t1"}, {"$set": {"path": str(path)}})
        answer = site.ask("/media/t1")
        assert answer.status == 404
        assert b"file_gone" in answer.body


def test_only_plain_audio_files_are_sent(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "folder.wav").mkdir()
    for name in ("notes.txt", "folder.wav", "gone.wav"):
        assert find_file(str(tmp_path / name), [str(tmp_path)], MIME_TYPES) is None


def test_a_file_that_is_gone_is_said_to_be(site: Site) -> None:
    (site.library / "track1.wav").unlink()
    answer = site.ask("/media/t1")
    assert answer.status == 404
    assert b"scan the library again" in answer.body


@pytest.mark.parametrize("field", ["root", "path"])
def test_of_a_track_of_which_no_place_is_told_there_is_no_file(
    site: Site, field: str
) -> None:
    site.database[store.TRACKS].update_one({"_id": "t1"}, {"$unset": {field: ""}})
    answer = site.ask("/media/t1")
    assert answer.status == 404
    assert b"file_gone" in answer.body
    assert site.ask("/covers/t1").headers["content-type"] == "image/svg+xml"


def test_an_album_without_a_cover_gets_a_drawn_one(site: Site) -> None:
    answer = site.ask("/covers/t1")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.body == site.ask("/covers/t0").body  # the same album


def test_a_cover_is_sent_as_a_picture(site: Site) -> None:
    cover = site.library / "cover.png"
    cover.write_bytes(b"\x89PNG\r\n\x1a\n")
    fields = {"$set": {"cover_path": str(cover)}}
    site.database[store.TRACKS].update_one({"_id": "t1"}, fields)
    answer = site.ask("/covers/t1")
    assert (answer.headers["content-type"], answer.body) == (
        "image/png",
        cover.read_bytes(),
    )
    assert answer.headers["x-content-type-options"] == "nosniff"


def _cover_type(site: Site, cover: Path) -> str:
    fields = {"$set": {"cover_path": str(cover)}}
    site.database[store.TRACKS].update_one({"_id": "t1"}, fields)
    return site.ask("/covers/t1").headers["content-type"]


def test_a_covers_type_is_that_of_its_bytes(site: Site) -> None:
    cover = site.library / "cover.png"
    cover.write_bytes(b"\xff\xd8\xff\xe0" + bytes(20))
    assert _cover_type(site, cover) == "image/jpeg"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cover.jpg", b"<html><script>alert(1)</script>"),
        ("cover.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("cover.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("cover.gif", b""),
    ],
)
def test_what_is_no_image_is_no_cover(site: Site, name: str, content: bytes) -> None:
    cover = site.library / name
    cover.write_bytes(content)
    fields = {"$set": {"cover_path": str(cover)}}
    site.database[store.TRACKS].update_one({"_id": "t1"}, fields)
    answer = site.ask("/covers/t1")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert b"alert" not in answer.body
    assert answer.body == site.ask("/covers/t0").body  # the drawn one


def test_covers_lie_in_the_library_or_in_segues_own_folder(
    site: Site, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    for place, wanted in [
        (home / "covers" / "a.png", "image/png"),
        (home / "log" / "a.png", "image/svg+xml"),
        (home.parent / "a.png", "image/svg+xml"),
        (home / "covers" / ".." / "log" / "a.png", "image/svg+xml"),
    ]:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"\x89PNG\r\n\x1a\n")
        assert _cover_type(site, place).startswith(wanted), place
    link = home / "covers" / "b.png"
    link.symlink_to(home / "log" / "a.png")
    assert _cover_type(site, link).startswith("image/svg+xml")

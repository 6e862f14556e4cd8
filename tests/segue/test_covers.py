import hashlib
from pathlib import Path

import pytest

from segue.covers import (
    MAX_COVER_BYTES,
    covers_folder,
    find_cover,
    image_suffix,
    write_cover,
)
from segue.errors import LibraryError

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(20)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(20)
GIF = b"GIF89a" + bytes(20)
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>"
WAVE = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(20)


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (JPEG, ".jpg"),
        (PNG, ".png"),
        (WEBP, ".webp"),
        (GIF, ".gif"),
        (HTML, None),
        (SVG, None),
        (WAVE, None),
        (b"", None),
        (b"\xff\xd8", None),
    ],
)
def test_an_image_is_what_its_bytes_say(content: bytes, suffix: str | None) -> None:
    assert image_suffix(content) == suffix


def test_a_cover_is_written_once_under_its_hash(tmp_path: Path) -> None:
    covers = covers_folder(tmp_path)
    path = write_cover(JPEG, covers)
    assert path == covers.resolve() / f"{hashlib.sha256(JPEG).hexdigest()}.jpg"
    assert path.read_bytes() == JPEG
    before = path.stat()
    assert write_cover(JPEG, covers) == path
    assert path.stat().st_ino == before.st_ino
    assert list(covers.iterdir()) == [path]


@pytest.mark.parametrize(
    "image",
    [None, b"", HTML, SVG, JPEG + bytes(MAX_COVER_BYTES)],
    ids=["none", "empty", "html", "svg", "large"],
)
def test_what_is_no_image_is_not_written(tmp_path: Path, image: bytes | None) -> None:
    assert write_cover(image, tmp_path / "covers") is None
    assert not (tmp_path / "covers").exists()


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "covers").write_text("a file stands here")
    with pytest.raises(LibraryError, match="SEGUE_HOME"):
        write_cover(JPEG, tmp_path / "covers")


def test_a_folders_cover_is_found_by_name_whatever_its_case(tmp_path: Path) -> None:
    (tmp_path / "back.jpg").write_bytes(JPEG)
    assert find_cover(tmp_path, tmp_path) is None
    (tmp_path / "Front.PNG").write_bytes(PNG)
    assert find_cover(tmp_path, tmp_path) == tmp_path / "Front.PNG"
    (tmp_path / "Folder.webp").write_bytes(WEBP)
    assert find_cover(tmp_path, tmp_path) == tmp_path / "Folder.webp"
    (tmp_path / "COVER.jpeg").write_bytes(JPEG)
    assert find_cover(tmp_path, tmp_path) == tmp_path / "COVER.jpeg"


@pytest.mark.parametrize("content", [HTML, SVG, b""])
def test_a_page_named_like_a_cover_is_passed_over(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "cover.jpg").write_bytes(content)
    (tmp_path / "cover.svg").write_bytes(SVG)
    assert find_cover(tmp_path, tmp_path) is None
    (tmp_path / "folder.jpg").write_bytes(JPEG)
    assert find_cover(tmp_path, tmp_path) == tmp_path / "folder.jpg"


def test_a_link_out_of_the_library_is_no_cover(tmp_path: Path) -> None:
    album = tmp_path / "music" / "album"
    album.mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(PNG)
    (album / "cover.png").symlink_to(tmp_path / "secret.png")
    assert find_cover(album, tmp_path / "music") is None
    assert find_cover(album, tmp_path) == album / "cover.png"

import hashlib
import os
from pathlib import Path

import pytest

from segue.catalog import content_sha256, iter_audio_files, track_id_of
from segue.errors import LibraryError


def names(folder: Path) -> list[str]:
    return [
        str(path.relative_to(folder.resolve())) for path in iter_audio_files(folder)
    ]


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_audio_files_come_by_name_whatever_their_case(tmp_path: Path) -> None:
    for name in ["b/2.OGG", "b/1.flac", "a.mp3", "ä\n%.opus", "notes.txt", "cover.jpg"]:
        touch(tmp_path / name)
    assert names(tmp_path) == ["a.mp3", "b/1.flac", "b/2.OGG", "ä\n%.opus"]


def test_hidden_files_folders_and_folders_named_like_audio_are_left_out(
    tmp_path: Path,
) -> None:
    touch(tmp_path / ".trash" / "a.ogg")
    touch(tmp_path / "._a.ogg")
    touch(tmp_path / "album.ogg" / "1.ogg")
    assert names(tmp_path) == ["album.ogg/1.ogg"]


def test_links_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    outside = touch(tmp_path / "outside" / "secret.ogg")
    inside = touch(tmp_path / "music" / "a.ogg")
    (tmp_path / "music" / "out.ogg").symlink_to(outside)
    (tmp_path / "music" / "folder").symlink_to(outside.parent)
    (tmp_path / "music" / "in.ogg").symlink_to(inside)
    (tmp_path / "music" / "gone.ogg").symlink_to(tmp_path / "nowhere.ogg")
    assert names(tmp_path / "music") == ["a.ogg", "in.ogg"]


def test_a_pipe_named_like_audio_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["nowhere", "file.ogg"])
def test_what_is_no_folder_is_a_clear_error(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "file.ogg")
    with pytest.raises(LibraryError, match=f"{name}.*give the folder"):
        next(iter_audio_files(tmp_path / name))


def test_a_track_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    path.write_bytes(b"x" * 3_000_000)
    sha256 = content_sha256(path)
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert track_id_of(sha256) == sha256[:16]

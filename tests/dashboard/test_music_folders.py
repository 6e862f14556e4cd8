from pathlib import Path

import pytest

from dashboard.music_folders import check_folder
from dashboard.refusals import RefusedError


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "own" / "music"
    folder.mkdir(parents=True)
    (tmp_path / "home" / "music").mkdir(parents=True)
    (tmp_path / "home" / "events").mkdir()
    return folder


def check(text: str, home: Path, *allowed: str, roots: tuple[str, ...] = ()) -> Path:
    return check_folder(text, home, allowed, roots)


def test_a_folder_is_taken_without_its_links(music: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(music)
    assert check(f"{link}/../music/", tmp_path / "home") == music


def test_what_is_there_already_may_be_read_again(music: Path, tmp_path: Path) -> None:
    assert check(str(music), tmp_path / "home", roots=(str(music),)) == music
    demo = tmp_path / "home" / "music"
    assert check(str(demo), tmp_path / "home") == demo


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "whole path"),
        ("music", "whole path"),
        ("~/Music", "whole path"),
        ("/a\0b", "whole path"),
        ("/" + "x" * 5000, "whole path"),
        ("/nowhere/at/all", "No such file"),
        ("/" + "x" * 1000, "too long"),
        ("/\ud800", "cannot be followed"),
        ("/", "belongs to the system"),
        ("/proc/self/task", "belongs to the system"),
        ("/sys", "belongs to the system"),
        ("/dev/shm", "belongs to the system"),
        ("{tmp}/file", "is no folder"),
        ("{tmp}/round", "no folder"),
        ("{tmp}/home", "own files"),
        ("{tmp}/home/events", "own files"),
        ("{tmp}/home/music/../events", "own files"),
        ("{tmp}/to-home", "own files"),
        ("{tmp}", "own files"),
        ("{tmp}/library/part", "already"),
        ("{tmp}/library/..", "own files"),
        ("{tmp}/own", "only"),
    ],
)
def test_other_folders_are_refused_in_a_sentence(
    music: Path, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "to-home").symlink_to(tmp_path / "home")
    (tmp_path / "library" / "part").mkdir(parents=True)
    library = str(tmp_path / "library")
    with pytest.raises(RefusedError, match=words):
        check(
            text.replace("{tmp}", str(tmp_path)),
            tmp_path / "home",
            *(library, str(music)),
            roots=(library,),
        )


def test_a_folder_around_the_library_is_refused(music: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="already"):
        check(str(music.parent), tmp_path / "home", roots=(str(music),))

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from tinytag import TinyTag

from segue.composer.library import COVER_NAME, compose_albums, compose_library
from segue.composer.plan import AlbumPlan, plan_library
from segue.errors import LibraryError

COMPOSE_ALL = """
import sys
from pathlib import Path
from segue.composer import compose_library
if __name__ == "__main__":
    compose_library(Path(sys.argv[1]), 1)
"""


def short_album(seed: int = 1) -> AlbumPlan:
    """Two tracks of the style that is quickest to make."""
    album = next(a for a in plan_library(seed) if a.genre == "Chiptune")
    return replace(album, track_titles=album.track_titles[:2])


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    folder = tmp_path_factory.mktemp("library")
    return folder, compose_albums(folder, [short_album()])


@pytest.mark.slow
def test_an_album_lies_in_its_folder_with_tags_and_cover(
    composed: tuple[Path, list[Path]],
) -> None:
    folder, files = composed
    album = short_album()
    assert {path.parent for path in files} == {folder / album.artist / album.title}
    assert [path.name for path in files] == [
        COVER_NAME,
        f"01 {album.track_titles[0]}.{album.suffix}",
        f"02 {album.track_titles[1]}.{album.suffix}",
    ]
    tags = [TinyTag.get(path) for path in files[1:]]
    assert [(t.artist, t.album, t.title, t.track) for t in tags] == [
        (album.artist, album.title, title, number)
        for number, title in enumerate(album.track_titles, start=1)
    ]
    assert all(40 <= (t.duration or 0) <= 60.1 for t in tags)


@pytest.mark.slow
def test_a_second_run_leaves_whole_files_alone_and_mends_the_others(
    composed: tuple[Path, list[Path]],
) -> None:
    folder, files = composed
    seen: list[tuple[int, int]] = []
    before = [path.read_bytes() for path in files]
    whole = files[1].stat().st_mtime_ns
    files[2].write_bytes(before[2][:1000].replace(b"segue", b"noise"))
    leftover = files[1].with_name(".03 Unfinished.ogg.part")
    leftover.write_bytes(b"half")
    compose_albums(folder, [short_album()], lambda done, n: seen.append((done, n)))
    assert seen == [(2, 3), (3, 3)]
    assert files[1].stat().st_mtime_ns == whole
    assert [path.read_bytes() for path in files] == before
    assert not leftover.exists()


def interrupt_when_busy(
    process: subprocess.Popen[bytes], folder: Path
) -> list[psutil.Process]:
    """Press Ctrl-C once a file is being written; return the processes there were."""
    deadline = time.monotonic() + 60
    while not list(folder.rglob("*.jpg")):
        assert time.monotonic() < deadline, "no file was begun"
        assert process.poll() is None
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    return children


@pytest.mark.slow
def test_ctrl_c_stops_the_workers_and_leaves_no_half_file(tmp_path: Path) -> None:
    script = tmp_path / "compose_all.py"
    script.write_text(COMPOSE_ALL)
    folder = tmp_path / "music"
    process = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        start_new_session=True,
        stderr=subprocess.PIPE,
    )
    children = interrupt_when_busy(process, folder)
    _, errors = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in errors
    assert len(children) >= 2
    _, alive = psutil.wait_procs(children, timeout=10)
    # an orphan that has ended stays as a zombie where nobody collects it
    assert [p for p in alive if p.status() != psutil.STATUS_ZOMBIE] == []
    assert not list(folder.rglob("*.part"))


def test_a_place_that_is_no_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(LibraryError, match=r"cannot write the demo library to .*taken"):
        compose_library(tmp_path / "taken")


def test_a_folder_that_cannot_be_written_is_a_clear_error() -> None:
    with pytest.raises(LibraryError, match="cannot write the demo library to /proc/"):
        compose_library(Path("/proc/music"))


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="seed is -1; give 0 or more"):
        compose_library(tmp_path, seed=-1)

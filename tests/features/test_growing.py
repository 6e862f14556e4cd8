"""A long build lets its tracks into the index as their rows are committed."""

import time
from collections.abc import Set
from pathlib import Path

from features.growing import GrowingIndex
from features.index import build_index
from features.spec import FeatureSpec
from features.table import table_folder
from segue.builds import current_version
from segue.clock import system_clock
from segue.settings import Settings
from segue.track_index import read_track_index
from tests.features.tables import START, append_tracks, track_row


def names(n: int, first: int = 0) -> list[str]:
    return [f"t{number:03d}" for number in range(first, first + n)]


def commit(settings: Settings, part: str, track_ids: list[str]) -> None:
    folder = table_folder(settings.home, FeatureSpec())
    append_tracks(folder, part, [track_row(track_id) for track_id in track_ids])


def indexed(settings: Settings) -> list[str]:
    return read_track_index(settings.home / "index").track_ids


def every(track_ids: Set[str]) -> Set[str]:
    return track_ids


def test_a_track_is_in_the_index_within_five_seconds_of_its_row(tmp_path: Path) -> None:
    settings, said = Settings(home=tmp_path), list[str]()
    commit(settings, "old", names(40))
    # half of the table is not in the library any more, and does not come back
    build_index(settings, START, present=set(names(20)))
    with GrowingIndex(settings, every, system_clock, said.append):
        for number in (100, 200):
            commit(settings, f"new{number}", names(20, number))
            deadline = time.monotonic() + 5
            while f"t{number + 19:03d}" not in indexed(settings):
                assert time.monotonic() < deadline
                time.sleep(0.05)
    assert indexed(settings) == [*names(20), *names(20, 100), *names(20, 200)]
    assert said == []


def test_the_first_index_waits_for_some_tracks_and_for_the_catalogue(
    tmp_path: Path,
) -> None:
    settings, known = Settings(home=tmp_path), set(names(33))
    growing = GrowingIndex(settings, known.__and__, system_clock, print)
    commit(settings, "few", names(10))
    growing.look()
    assert current_version(tmp_path / "index") is None
    commit(settings, "more", names(30, 10))
    growing.look()
    assert indexed(settings) == names(33)
    growing.look()
    known |= set(names(40))
    growing.look()
    assert indexed(settings) == names(40)


def test_what_cannot_be_written_is_said_and_tried_again(tmp_path: Path) -> None:
    settings, said = Settings(home=tmp_path), list[str]()
    growing = GrowingIndex(settings, every, system_clock, said.append)
    (tmp_path / "index").write_text("in the way")
    commit(settings, "part", names(40))
    growing.look()
    assert len(said) == 1
    (tmp_path / "index").unlink()
    growing.look()
    assert indexed(settings) == names(40)

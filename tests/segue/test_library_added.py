"""Folders that are added to the catalogue, into a real MongoDB."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from segue import store
from segue.cli import main
from segue.errors import LibraryError
from segue.library import Progress
from segue.library_folders import remove_folder
from segue.settings import Settings
from tests.segue.music import Library

pytestmark = pytest.mark.mongo


@pytest.fixture
def both(library: Library) -> Library:
    """A catalogue of one folder, and a second one that is added."""
    library.add("a.ogg", seed=1)
    library.add("c.ogg", seed=3)
    library.scan(new=2)
    library.music = library.music.with_name("other")
    library.add("b.ogg", seed=2)
    library.adds = True
    library.scan(new=1)
    library.adds = False
    return library


def there(library: Library) -> list[str]:
    tracks = library.database[store.TRACKS].find({"missing": False}).sort("title")
    return [each["title"] for each in tracks]


def test_an_added_folder_stays_beside_the_one_that_is_scanned(both: Library) -> None:
    assert there(both) == ["a", "b", "c"]
    both.scan(known=1, missing=2)  # the folder itself, without adding: the rest goes
    both.music = both.music.with_name("music")
    both.scan(changed=2)
    assert there(both) == ["a", "b", "c"]


def test_what_is_gone_from_an_added_folder_is_missing(both: Library) -> None:
    (both.music / "b.ogg").unlink()
    both.adds = True
    both.scan(missing=1)
    assert there(both) == ["a", "c"]


def test_a_copy_in_an_added_folder_is_a_duplicate_while_the_first_is_there(
    both: Library,
) -> None:
    first = both.music.with_name("music") / "a.ogg"
    (both.music / "copy.ogg").write_bytes(first.read_bytes())
    both.adds = True
    both.scan(known=1, duplicate=1)
    assert both.database[store.TRACKS].find_one({"title": "a"}) is not None
    first.unlink()
    both.scan(known=1, changed=1)
    assert there(both) == ["b", "c", "copy"]


def test_a_scan_that_is_stopped_keeps_what_it_has_and_misses_nothing(
    both: Library,
) -> None:
    both.music = both.music.with_name("music")
    told: list[Progress] = []

    def goes_on(progress: Progress) -> bool:
        told.append(progress)
        return progress.n_read < 1

    both.goes_on = goes_on
    (both.music / "0.ogg").write_bytes((both.music / "a.ogg").read_bytes() + b"\0")
    assert both.scan(new=1).found == 1
    assert [(each.n_read, each.n_found) for each in told] == [(0, 3), (1, 3)]
    assert len(there(both)) == 4


def test_an_added_folder_is_removed_and_added_again(both: Library) -> None:
    before = store.catalogue_version(both.database)
    assert remove_folder(str(both.music), both.database) == 1
    assert there(both) == ["a", "c"]
    assert store.catalogue_version(both.database) > before
    albums = both.database[store.ALBUMS].aggregate(
        [{"$group": {"_id": None, "n": {"$sum": "$n_tracks"}}}]
    )
    assert [each["n"] for each in albums] == [2]
    assert (both.music / "b.ogg").is_file()
    other = both.music
    both.music = both.music.with_name("music")
    both.scan(known=2, missing=1)  # it is no longer kept, and stays out
    assert there(both) == ["a", "c"]
    both.music, both.adds = other, True
    both.scan(changed=1)
    assert there(both) == ["a", "b", "c"]


def test_a_folder_that_was_not_added_is_not_removed(both: Library) -> None:
    main = str(both.music.with_name("music"))
    with pytest.raises(LibraryError, match=f"added are {both.music}"):
        remove_folder(main, both.database)
    assert there(both) == ["a", "b", "c"]
    remove_folder(str(both.music), both.database)
    with pytest.raises(LibraryError, match="no folder was"):
        remove_folder(str(both.music), both.database)


def test_the_command_line_removes_what_it_added(
    both: Library, settings: Callable[..., Settings]
) -> None:
    here = both.music.parent / "music" / ".." / both.music.name
    words = ["library", "remove", str(here)]
    done = CliRunner().invoke(main, [*words, "--json"], obj=settings())
    told = {"folder": str(both.music.resolve()), "n_missing": 1}
    assert (done.exit_code, json.loads(done.stdout)) == (0, told)
    assert there(both) == ["a", "c"]
    again = CliRunner().invoke(main, words, obj=settings())
    assert (again.exit_code, "was not added" in again.output) == (1, True)

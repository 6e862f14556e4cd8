"""Covers as a scan finds them, into a real MongoDB."""

from pathlib import Path

import pytest

from segue.covers import MAX_COVER_BYTES
from segue.errors import LibraryError
from tests.segue.music import Library, embed
from tests.segue.test_covers import HTML, JPEG, PNG, SVG

pytestmark = pytest.mark.mongo


def test_a_cover_that_the_file_carries_is_kept_once(library: Library) -> None:
    for name, seed in [("Ada/1.mp3", 1), ("Ada/2.mp3", 2), ("Bo/3.mp3", 3)]:
        library.add(name, seed)
        embed(library.music / name, PNG if seed == 3 else JPEG)
    library.scan(new=3)
    covers = {name: t["cover_path"] for name, t in library.documents().items()}
    assert covers["Ada/1.mp3"] == covers["Ada/2.mp3"]
    assert Path(covers["Ada/1.mp3"]).read_bytes() == JPEG
    assert Path(covers["Bo/3.mp3"]).read_bytes() == PNG
    assert len(list(library.covers.iterdir())) == 2
    assert library.covers.resolve() == Path(covers["Bo/3.mp3"]).parent
    library.scan(known=3)


def test_a_folders_image_stands_before_the_one_in_the_file(library: Library) -> None:
    library.add("Ada/1.mp3", seed=1)
    embed(library.music / "Ada" / "1.mp3", JPEG)
    cover = library.music / "Ada" / "cover.png"
    cover.write_bytes(PNG)
    library.scan(new=1)
    assert library.documents()["Ada/1.mp3"]["cover_path"] == str(cover.resolve())
    assert not library.covers.exists()
    cover.unlink()
    library.scan(changed=1)
    kept = Path(library.documents()["Ada/1.mp3"]["cover_path"])
    assert kept.read_bytes() == JPEG
    library.scan(known=1)
    kept.unlink()
    library.scan(changed=1)
    assert kept.read_bytes() == JPEG
    library.covers = library.covers.with_name("another home")
    library.scan(changed=1)
    cover_path = library.documents()["Ada/1.mp3"]["cover_path"]
    assert Path(cover_path).parent == library.covers.resolve()


@pytest.mark.parametrize("content", [HTML, SVG, b"", JPEG + bytes(MAX_COVER_BYTES)])
def test_what_is_no_image_is_no_cover(library: Library, content: bytes) -> None:
    library.add("Ada/1.mp3", seed=1)
    embed(library.music / "Ada" / "1.mp3", content)
    (library.music / "Ada" / "cover.jpg").write_bytes(content)
    library.scan(new=1)
    assert library.documents()["Ada/1.mp3"]["cover_path"] is None
    assert not library.covers.exists()


def test_covers_that_cannot_be_written_stop_the_scan(library: Library) -> None:
    library.add("1.mp3", seed=1)
    embed(library.music / "1.mp3", JPEG)
    library.covers.parent.mkdir()
    library.covers.write_text("a file stands here")
    with pytest.raises(LibraryError, match="SEGUE_HOME"):
        library.scan()

import shutil
import unicodedata
from pathlib import Path

import mutagen
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import UnreadableAudioError
from segue.tags import MAX_TEXT_CHARS, clean_text, read_tags
from tests.features.sounds import write_sound


def tagged(path: Path, **tags: str) -> Path:
    file = mutagen.File(write_sound(path, duration_s=0.2), easy=True)
    for name, value in tags.items():
        file[name] = value
    file.save()
    return path


@pytest.mark.parametrize("suffix", ["ogg", "flac", "mp3"])
def test_tags_are_read(tmp_path: Path, suffix: str) -> None:
    path = tagged(
        tmp_path / f"a.{suffix}",
        title="Blue Ä 音",
        artist="Ada",
        album="Sea",
        genre="Dub",
        date="1999-05-03",
        tracknumber="7",
    )
    tags = read_tags(path, tmp_path)
    assert (tags.title, tags.artist, tags.album) == ("Blue Ä 音", "Ada", "Sea")
    assert (tags.genre, tags.year, tags.track_no) == ("Dub", 1999, 7)
    assert tags.duration_s == pytest.approx(0.2, abs=0.1)


def test_name_and_folders_stand_in_for_missing_tags(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "Ada" / "Sea" / "03 - Low Tide.wav", duration_s=0.2)
    tags = read_tags(path, tmp_path)
    assert (tags.title, tags.artist, tags.album) == ("Low Tide", "Ada", "Sea")
    assert (tags.track_no, tags.year, tags.genre) == (3, None, None)


def test_folders_above_the_library_tell_nothing(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", duration_s=0.2)
    tags = read_tags(path, tmp_path)
    assert (tags.artist, tags.album) == ("Unknown artist", "Unknown album")


def test_tags_of_strangers_are_cleaned(tmp_path: Path) -> None:
    path = tagged(
        tmp_path / "01 Named.flac", title="\x00\x07\n", artist="E\u202evil\x1b[2J"
    )
    tags = read_tags(path, tmp_path)
    assert (tags.title, tags.artist, tags.track_no) == ("Named", "Evil[2J", 1)


@given(st.text())
def test_clean_text_is_one_short_line_without_controls(text: str) -> None:
    cleaned = clean_text(text)
    if cleaned is not None:
        assert 0 < len(cleaned) <= MAX_TEXT_CHARS
        assert cleaned == cleaned.strip()
        assert not {"Cc", "Cs"} & set(map(unicodedata.category, cleaned))
        assert clean_text(cleaned) == cleaned


def test_long_text_is_cut() -> None:
    assert clean_text("la " * 1000) == ("la " * 1000)[:MAX_TEXT_CHARS].rstrip()


def test_a_joined_emoji_stays_one() -> None:
    assert clean_text("👩\u200d🎤") == "👩\u200d🎤"


@pytest.mark.parametrize("content", [b"", b"this is no music " * 99, b"\xff\xfb\x90"])
@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".wav"])
def test_a_file_without_audio_is_unreadable(
    tmp_path: Path, content: bytes, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(UnreadableAudioError, match="gives no track"):
        read_tags(path, tmp_path)


def test_a_kind_without_a_tag_reader_is_named_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "02 Tide.ape"
    path.write_bytes(b"MAC ")
    tags = read_tags(path, tmp_path)
    assert (tags.title, tags.track_no, tags.duration_s) == ("Tide", 2, None)


def test_a_file_that_is_gone_is_worth_another_try(tmp_path: Path) -> None:
    with pytest.raises(UnreadableAudioError) as caught:
        read_tags(tmp_path / "a.ogg", tmp_path)
    assert caught.value.retry


def test_tags_are_read_from_a_copy_under_another_suffix(tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.ogg", title="Sea")
    shutil.copy(path, tmp_path / "b.oga")
    assert read_tags(tmp_path / "b.oga", tmp_path).title == "Sea"

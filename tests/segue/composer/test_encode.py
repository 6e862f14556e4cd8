from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from tinytag import TinyTag

from segue.composer.encode import (
    Tags,
    is_whole,
    part_path,
    with_ogg_serial,
    write_audio,
)
from segue.composer.sound import Stereo

TAGS = Tags(
    "Amber Road", "The Tests", "Old Gate", "Folk", "2007", "3", "made by a test"
)


@pytest.fixture
def sound() -> Stereo:
    noise = np.random.default_rng(4).normal(0, 0.05, (2, 120_000))
    return noise.astype(np.float32)


@pytest.mark.parametrize("suffix", ["ogg", "flac", "mp3"])
def test_tags_are_read_by_others(tmp_path: Path, sound: Stereo, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    write_audio(path, sound, TAGS)
    tag = TinyTag.get(path)
    assert (tag.title, tag.artist, tag.album) == ("Amber Road", "The Tests", "Old Gate")
    assert (tag.genre, tag.year, tag.track) == ("Folk", "2007", 3)
    assert (tag.samplerate, tag.channels) == (44_100, 2)
    assert tag.duration == pytest.approx(120_000 / 44_100, abs=0.06)
    assert mutagen.File(path) is not None


@pytest.mark.parametrize("suffix", ["ogg", "flac", "mp3"])
def test_equal_sound_makes_equal_files(
    tmp_path: Path, sound: Stereo, suffix: str
) -> None:
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for path in paths:
        write_audio(path, sound, TAGS)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_samples_come_back(tmp_path: Path, sound: Stereo) -> None:
    write_audio(tmp_path / "a.flac", sound, TAGS)
    again, _ = soundfile.read(tmp_path / "a.flac", dtype="float32")
    np.testing.assert_allclose(again.T, sound, atol=2**-15)


@pytest.mark.parametrize("suffix", ["ogg", "flac", "mp3"])
def test_only_a_whole_file_of_the_same_origin_counts(
    tmp_path: Path, sound: Stereo, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    assert not is_whole(path, TAGS.comment)
    write_audio(path, sound, TAGS)
    assert is_whole(path, TAGS.comment)
    assert not is_whole(path, "another seed")
    assert not part_path(path).exists()
    path.write_bytes(b"no audio at all")
    assert not is_whole(path, TAGS.comment)


def test_the_stream_number_of_ogg_changes_and_the_file_stays_valid(
    tmp_path: Path, sound: Stereo
) -> None:
    path = tmp_path / "a.ogg"
    write_audio(path, sound, TAGS)
    before, _ = soundfile.read(path)
    content = with_ogg_serial(path.read_bytes(), 77)
    assert content[14:18] == (77).to_bytes(4, "little")
    assert with_ogg_serial(content, 1) == path.read_bytes()
    path.write_bytes(content)
    # libsndfile skips every page whose checksum is wrong
    np.testing.assert_array_equal(soundfile.read(path)[0], before)

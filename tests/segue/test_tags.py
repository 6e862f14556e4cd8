import base64
import csv
import random
import shutil
import subprocess
import unicodedata
from pathlib import Path

import mutagen.flac
import mutagen.id3
import mutagen.mp4
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.id3 import PictureType

from segue.errors import UnreadableAudioError
from segue.tags import MAX_TEXT_CHARS, clean_text, read_tags, read_tags_and_cover
from tests.conftest import CHECKOUT
from tests.features.sounds import write_sound
from tests.segue.test_covers import JPEG


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


@pytest.mark.parametrize("suffix", [".ape", ".mod", ".ogg"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html><title>Sea</title>",
        "Träume".encode(),
        b"ID3\x04\x00\x00\x00\x00\x00\x02xx",
    ],
    ids=["empty", "page", "text", "tag"],
)
def test_text_and_tags_alone_are_no_audio_whatever_their_name(
    tmp_path: Path, content: bytes, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(UnreadableAudioError, match="gives no track"):
        read_tags(path, tmp_path)


# frames of 207 bytes, that the tag reader would take for 2 s of MP3
ADTS = b"".join(
    b"\xff\xf1\x50\x80\x19\xff\xfc" + random.Random(n).randbytes(200)
    for n in range(300)
)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.flac", b"fLaC\x80\x00\x00\x22" + bytes(34)),
        ("a.m4a", b"\x00\x00\x00\x18ftypiso5" + bytes(12)),
        ("a.wav", b"RF64\xff\xff\xff\xffWAVEds64" + bytes(20)),
        ("a.aac", ADTS),
        ("a.m4a", ADTS[:207]),
        ("a.mp3", ADTS),
        ("a.tta", b"ID3\x04\x00\x00\x00\x00\x00\x02xxTTA1" + bytes(20)),
    ],
)
def test_what_begins_as_audio_is_a_track_though_its_length_is_not_known(
    tmp_path: Path, name: str, head: bytes
) -> None:
    (tmp_path / name).write_bytes(head)
    tags = read_tags(tmp_path / name, tmp_path)
    assert (tags.title, tags.duration_s) == ("a", None)


def test_a_file_is_read_as_what_it_is_not_as_what_its_name_says(tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.ogg", title="Sea").rename(tmp_path / "b.mp3")
    tags = read_tags(path, tmp_path)
    assert tags.title == "Sea"
    assert tags.duration_s == pytest.approx(0.2, abs=0.1)


def test_an_mp3_may_begin_with_rubbish(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.mp3", duration_s=0.5).read_bytes()
    (tmp_path / "b.mp3").write_bytes(bytes(30_000) + sound)
    assert read_tags(tmp_path / "b.mp3", tmp_path).duration_s == pytest.approx(
        0.5, abs=0.1
    )


def test_a_header_that_promises_far_more_than_there_is_tells_no_length(
    tmp_path: Path,
) -> None:
    path = write_sound(tmp_path / "a.wav", duration_s=0.5)
    sound = path.read_bytes()
    assert sound[36:40] == b"data"
    path.write_bytes(sound[:40] + b"\xff\xff\xff\xff" + sound[44:])
    assert read_tags(path, tmp_path).duration_s is None


ODD_AUDIO = CHECKOUT.parent / "shared" / "data" / "odd_audio"


@pytest.mark.skipif(not ODD_AUDIO.is_dir(), reason="the odd audio files are not here")
def test_every_odd_file_that_a_decoder_can_play_is_a_track() -> None:
    taken, refused = set(), set()
    with (ODD_AUDIO / "MANIFEST.csv").open(encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest):
            plays = float(row["ffmpeg_decoded_s_max120"]) > 0
            try:
                read_tags(ODD_AUDIO / row["file"], ODD_AUDIO)
                taken.add((plays, row["file"]))
            except UnreadableAudioError:
                refused.add((plays, row["file"]))
    assert len(taken) > 50
    assert len(refused) > 15
    assert not any(plays for plays, _ in refused)


def test_album_artist_guests_and_genres_are_told_apart(tmp_path: Path) -> None:
    path = tagged(
        tmp_path / "a.flac",
        artist="Ada feat. Bo",
        albumartist="Various",
        genre="Rock; Metal/Pop",
    )
    tags = read_tags(path, tmp_path)
    assert (tags.artist, tags.main_artist) == ("Ada feat. Bo", "Ada")
    assert tags.album_artist_tag == "Various"
    assert (tags.genre, tags.genres) == ("Rock; Metal/Pop", ["Rock", "Metal", "Pop"])


def test_genres_may_be_several_tags(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.ogg", duration_s=0.2)
    file = mutagen.File(path, easy=True)
    file["genre"] = ["Dub", "House\x07", "dub"]
    file.save()
    assert read_tags(path, tmp_path).genres == ["Dub", "House"]


def with_picture(path: Path, kind: int, image: bytes) -> Path:
    """Embed a picture by mutagen; the reader is tinytag."""
    if path.suffix in (".opus", ".m4a"):
        wave = write_sound(path.with_suffix(".wav"), duration_s=0.2)
        subprocess.run(["ffmpeg", "-v", "error", "-i", wave, path], check=True)
    else:
        write_sound(path, duration_s=0.2)
    file = mutagen.File(path)
    if path.suffix == ".flac":
        picture = mutagen.flac.Picture()  # type: ignore[no-untyped-call]
        picture.type, picture.mime, picture.data = kind, "image/jpeg", image
        file.add_picture(picture)
    elif path.suffix in (".ogg", ".opus"):
        picture = mutagen.flac.Picture()  # type: ignore[no-untyped-call]
        picture.type, picture.mime, picture.data = kind, "image/jpeg", image
        block = base64.b64encode(picture.write()).decode()  # type: ignore[no-untyped-call]
        file["metadata_block_picture"] = [block]
    elif path.suffix == ".m4a":
        file["covr"] = [mutagen.mp4.MP4Cover(image)]  # type: ignore[no-untyped-call]
    else:
        if file.tags is None:
            file.add_tags()
        frame = mutagen.id3.APIC(  # type: ignore[no-untyped-call]
            mime="image/jpeg", type=kind, data=image
        )
        file.tags.add(frame)
    file.save()
    return path


@pytest.mark.parametrize("suffix", ["mp3", "flac", "wav", "ogg", "opus", "m4a"])
@pytest.mark.parametrize("kind", [PictureType.COVER_FRONT, PictureType.OTHER])
def test_the_front_cover_comes_with_the_tags(
    tmp_path: Path, suffix: str, kind: int
) -> None:
    path = with_picture(tmp_path / f"a.{suffix}", kind, JPEG)
    assert read_tags_and_cover(path, tmp_path, with_cover=True)[1] == JPEG
    assert read_tags_and_cover(path, tmp_path, with_cover=False)[1] is None


def test_the_back_is_no_cover(tmp_path: Path) -> None:
    path = with_picture(tmp_path / "a.mp3", PictureType.COVER_BACK, JPEG)
    assert read_tags_and_cover(path, tmp_path, with_cover=True)[1] is None


def test_a_kind_without_a_tag_reader_is_named_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "02 Tide.ape"
    path.write_bytes(b"MAC \x96\x0f\x00\x00")
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

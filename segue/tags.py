"""What a file says about itself: tags, and where they lack its name and folders.

Tags are text from strangers: control characters go, lengths are capped.

A file that the tag reader cannot read may still play: a FLAC file from a pipe, a
fragmented M4A. What plays and is not in the catalogue is never found; what does not
play and is, disappoints with each click. So such a file is a track when its first bytes
are those of audio (or its kind has no tag reader, and it is no text): a text, a page or
a tag with nothing behind it is not. So every one of the odd files that were tried and
that a decoder could play is a track, and of the others only some whose beginning is
whole. The features job has the last word: what it cannot decode gets no vector, and is
never recommended.
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from tinytag import TinyTag, TinyTagException

from segue.errors import UnreadableAudioError
from segue.names import main_artist, split_genres
from segue.sniff import is_adts_head, is_audio_head, is_text_head, read_head

MAX_TEXT_CHARS: Final = 200
MAX_NUMBER: Final = 9999
UNKNOWN_ARTIST: Final = "Unknown artist"
UNKNOWN_ALBUM: Final = "Unknown album"

# control, surrogate, private, unassigned; and the marks that turn the reading direction
_BAD_CATEGORIES: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
_BAD_MARKS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BYTES_PER_KBIT: Final = 125
# what honest files of varying bit rate promise is at most five times what there is
_MOST_PROMISED: Final = 20
_NUMBERED: Final = re.compile(r"(?:\d-)?(\d{1,3})(?:\s*[-._)]\s*|\s+)(?=\S)(.+)", re.S)
_YEAR: Final = re.compile(r"(?<!\d)([12]\d{3})(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What is shown of a track.

    Attributes
    ----------
    main_artist : str
        `artist` without the guests of this track.
    album_artist_tag : str, optional
        Whose album it is, where the file tells.
    genre : str, optional
        As in the file; `genres` are the single genres that it names.
    year, track_no, duration_s : optional
        None where the file does not tell.
    """

    title: str
    artist: str
    main_artist: str
    album: str
    album_artist_tag: str | None
    genre: str | None
    genres: list[str]
    year: int | None
    track_no: int | None
    duration_s: float | None


def read_tags(path: Path, root: Path) -> Tags:
    """Read the tags of one audio file; see `read_tags_and_cover`."""
    return read_tags_and_cover(path, root, with_cover=False)[0]


def read_tags_and_cover(
    path: Path, root: Path, *, with_cover: bool
) -> tuple[Tags, bytes | None]:
    """Read the tags of one audio file, and the front cover that it carries.

    What is missing comes from the name, `01 Title.ogg`, and from the folders
    `artist/album` between `root` and the file.

    Returns
    -------
    tags : Tags
    cover : bytes or None
        None without `with_cover`. A stranger's bytes: they need not be an image.

    Raises
    ------
    UnreadableAudioError
        When the file cannot be read, is empty, or is no audio.
    """
    try:
        with path.open("rb") as file:
            head = read_head(file)
            tag = _read_tag(file, path, with_cover)
    except OSError as error:
        raise UnreadableAudioError(str(path), "read", str(error), retry=True) from error
    if not tag.duration:
        _require_audio(path, head)
    return _tags(tag, path, root, _duration_s(tag, head)), _front_cover(tag)


def clean_text(text: str | None) -> str | None:
    r"""Return `text` in one line, without control characters; None for nothing.

    Examples
    --------
    >>> clean_text("  Blue\x00\n Monday\u202e ")
    'Blue Monday'
    >>> clean_text("\x00") is None
    True
    """
    if text is None:
        return None
    spaced = "".join(" " if char.isspace() else char for char in text)
    kept = "".join(char for char in spaced if not _is_bad(char))
    normal = unicodedata.normalize("NFC", " ".join(kept.split()))
    return normal[:MAX_TEXT_CHARS].rstrip() or None


def split_name(stem: str) -> tuple[int | None, str]:
    """Return track number and title of a file name without its suffix.

    Examples
    --------
    >>> split_name("01 Title"), split_name("2-07. Title"), split_name("1999")
    ((1, 'Title'), (7, 'Title'), (None, '1999'))
    """
    match = _NUMBERED.fullmatch(stem.strip())
    return (int(match[1]), match[2]) if match else (None, stem)


def parse_year(text: str | None) -> int | None:
    """Return the year in a date, None where there is none."""
    match = _YEAR.search(text or "")
    return int(match[1]) if match else None


def parse_track_no(number: int | None) -> int | None:
    """Return a number that may be a track's place on its album, else None."""
    return number if number is not None and 0 < number <= MAX_NUMBER else None


def _read_tag(file: BinaryIO, path: Path, with_cover: bool) -> TinyTag:
    """Read a file as what it is, and where that is not plain as what its name says."""
    for name in (None, path):
        try:
            file.seek(0)
            return TinyTag.get(name, file, image=with_cover)
        except TinyTagException:  # no tag reader, or it stumbles
            continue
    return TinyTag()


def _duration_s(tag: TinyTag, head: bytes) -> float | None:
    """Return the duration, where the file is to be believed."""
    # the tag reader takes AAC without a container for MP3
    if tag.duration is None or is_adts_head(head):
        return None
    # a header from a pipe promises all that its field can hold
    promised_bytes = tag.duration * (tag.bitrate or 0) * _BYTES_PER_KBIT
    is_honest = promised_bytes <= _MOST_PROMISED * tag.filesize
    return float(tag.duration) if is_honest and 0 < tag.duration < math.inf else None


def _require_audio(path: Path, head: bytes) -> None:
    if not head:
        cause = "it is empty, or ends with its tag"
    elif is_audio_head(head):
        return
    elif is_text_head(head):
        cause = "it holds text"
    elif TinyTag.is_supported(path):
        cause = "it holds no audio"
    else:
        return
    raise UnreadableAudioError(str(path), "tags", cause)


def _front_cover(tag: TinyTag) -> bytes | None:
    """Return the front cover, or the picture that is given without a kind."""
    image = tag.images.front_cover or next(
        iter(tag.images.other.get("generic", [])), None
    )
    return None if image is None else bytes(image.data)


def _is_bad(char: str) -> bool:
    return char in _BAD_MARKS or unicodedata.category(char) in _BAD_CATEGORIES


def _tags(tag: TinyTag, path: Path, root: Path, duration_s: float | None) -> Tags:
    named_no, named_title = split_name(path.stem)
    folders = path.relative_to(root).parts[:-1]
    album_folder = folders[-1] if folders else None
    artist_folder = folders[-2] if len(folders) > 1 else None
    title = clean_text(tag.title)
    artist = _first(tag.artist, tag.albumartist, artist_folder) or UNKNOWN_ARTIST
    return Tags(
        title=title or clean_text(named_title) or clean_text(path.stem) or "Untitled",
        artist=artist,
        main_artist=main_artist(artist),
        album=_first(tag.album, album_folder) or UNKNOWN_ALBUM,
        album_artist_tag=clean_text(tag.albumartist),
        genre=clean_text(tag.genre),
        genres=_genres(tag),
        year=parse_year(tag.year),
        track_no=parse_track_no(tag.track) or (named_no if title is None else None),
        duration_s=duration_s,
    )


def _genres(tag: TinyTag) -> list[str]:
    texts = [tag.genre or "", *tag.other.get("genre", [])]
    cleaned = (clean_text(name) for name in split_genres(texts))
    return split_genres(filter(None, cleaned))


def _first(*texts: str | None) -> str | None:
    return next(filter(None, map(clean_text, texts)), None)

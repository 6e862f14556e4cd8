"""What a file says about itself: tags, and where they lack its name and folders.

Tags are text from strangers: control characters go, lengths are capped.
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tinytag import TinyTag, TinyTagException, UnsupportedFormatError

from segue.errors import UnreadableAudioError

MAX_TEXT_CHARS: Final = 200
MAX_NUMBER: Final = 9999
UNKNOWN_ARTIST: Final = "Unknown artist"
UNKNOWN_ALBUM: Final = "Unknown album"

# control, surrogate, private, unassigned; and the marks that turn the reading direction
_BAD_CATEGORIES: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
_BAD_MARKS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NUMBERED: Final = re.compile(r"(?:\d-)?(\d{1,3})(?:\s*[-._)]\s*|\s+)(?=\S)(.+)", re.S)
_YEAR: Final = re.compile(r"(?<!\d)([12]\d{3})(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What is shown of a track.

    Attributes
    ----------
    genre, year, track_no, duration_s : optional
        None where the file does not tell.
    """

    title: str
    artist: str
    album: str
    genre: str | None
    year: int | None
    track_no: int | None
    duration_s: float | None


def read_tags(path: Path, root: Path) -> Tags:
    """Read the tags of one audio file.

    What is missing comes from the name, `01 Title.ogg`, and from the folders
    `artist/album` between `root` and the file.

    Raises
    ------
    UnreadableAudioError
        When the file cannot be read, or has no audio where its kind says it has.
    """
    try:
        tag = TinyTag.get(path)
    except UnsupportedFormatError:  # a kind that has features but no tag reader
        return _tags(TinyTag(), path, root, None)
    except OSError as error:
        raise UnreadableAudioError(str(path), "read", str(error), retry=True) from error
    except TinyTagException as error:
        raise UnreadableAudioError(str(path), "tags", str(error)) from error
    if tag.duration is None or not 0 < tag.duration < math.inf:
        raise UnreadableAudioError(str(path), "tags", "it holds no audio")
    return _tags(tag, path, root, float(tag.duration))


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


def _is_bad(char: str) -> bool:
    return char in _BAD_MARKS or unicodedata.category(char) in _BAD_CATEGORIES


def _tags(tag: TinyTag, path: Path, root: Path, duration_s: float | None) -> Tags:
    named_no, named_title = split_name(path.stem)
    folders = path.relative_to(root).parts[:-1]
    album_folder = folders[-1] if folders else None
    artist_folder = folders[-2] if len(folders) > 1 else None
    title = clean_text(tag.title)
    return Tags(
        title=title or clean_text(named_title) or clean_text(path.stem) or "Untitled",
        artist=_first(tag.artist, tag.albumartist, artist_folder) or UNKNOWN_ARTIST,
        album=_first(tag.album, album_folder) or UNKNOWN_ALBUM,
        genre=clean_text(tag.genre),
        year=_year(tag.year),
        track_no=_track_no(tag.track) or (named_no if title is None else None),
        duration_s=duration_s,
    )


def _first(*texts: str | None) -> str | None:
    return next(filter(None, map(clean_text, texts)), None)


def _year(text: str | None) -> int | None:
    match = _YEAR.search(text or "")
    return int(match[1]) if match else None


def _track_no(number: int | None) -> int | None:
    return number if number is not None and 0 < number <= MAX_NUMBER else None

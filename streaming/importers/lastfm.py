"""Last.fm: tables of the common exporters, and the Last.fm-1K data set.

A scrobble is a play of half of the track or four minutes. Known tables: with a header
that names its columns, between them commas, semicolons or tabs; without one,
`artist,album,track,date`; and six columns of tabs, `user, time, artist id, artist,
track id, track`.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import IO, Final

from segue.errors import InvalidEventError, Reason
from segue.events import Action
from segue.fields import moment
from segue.track_names import TrackName
from streaming.importers.pieces import iter_csv, iter_tsv
from streaming.importers.play import (
    WRONG_SHAPE,
    Line,
    Play,
    Refusal,
    checked,
    from_epoch_s,
    name_field,
    optional_name,
)

_PLAIN: Final = ("artist", "album", "track", "date")
_LASTFM_1K: Final = ("user", "date", "artist_mbid", "artist", "track_mbid", "track")
_ALIASES: Final = {
    "name": "track",
    "song": "track",
    "title": "track",
    "track_name": "track",
    "artist_name": "artist",
    "album_name": "album",
    "utc_time": "date",
    "time": "date",
    "timestamp": "date",
    "username": "user",
}
# lastfmstats.com writes `Date#listener`, in milliseconds
_OF_STATS: Final = "date#"
_FORMATS: Final = (
    "%d %b %Y %H:%M",
    "%d %b %Y, %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
)


def read_lastfm(file: IO[bytes], head: str) -> Iterator[Line]:
    """Yield the scrobbles of one file."""
    first = head.lstrip("\ufeff").split("\n", 1)[0]
    comma = next((c for c in "\t;" if _columns(first.strip().split(c))), None)
    comma = comma or ("\t" if "\t" in first else ",")
    is_tsv = comma == "\t"
    rows = iter_tsv(file) if is_tsv else iter_csv(file, comma)
    columns = _columns(first.strip().split(comma))
    if columns is not None:
        next(rows, None)
    else:
        columns = _LASTFM_1K if is_tsv else _PLAIN
    for row in rows:
        if isinstance(row, Refusal):
            yield row
        else:
            yield checked(lambda cells: _play(columns, cells), row)


def _columns(cells: Sequence[str]) -> Sequence[str] | None:
    """Return the names of the columns, where the first row is a header."""
    names = [cell.strip().strip('"').lower().replace(" ", "_") for cell in cells]
    known = [_ALIASES.get(name, name) for name in names]
    known = [_OF_STATS if name.startswith(_OF_STATS) else name for name in known]
    return known if {"artist", "track"} <= set(known) else None


def _play(columns: Sequence[str], cells: Sequence[str]) -> Line:
    if len(cells) < len(columns):
        detail = f"{len(cells)} columns, want {len(columns)}: {', '.join(columns)}"
        return Refusal(WRONG_SHAPE, detail)
    fields = dict(zip(columns, cells, strict=False))
    name = TrackName(
        name_field(fields, "artist"),
        name_field(fields, "track"),
        optional_name(fields, "album"),
    )
    listener = optional_name(fields, "user")
    return Play(name, _time(fields), Action.COMPLETED, None, listener)


def _from_ms(text: str) -> datetime:
    try:
        return from_epoch_s("date", int(text) / 1000)
    except ValueError:
        raise InvalidEventError(
            Reason.BAD_TIME, f"date is {text!r:.40}, want Unix milliseconds"
        ) from None


def _time(fields: dict[str, str]) -> datetime:
    if (seconds := fields.get("uts", "").strip()) and seconds != "0":
        return from_epoch_s("uts", seconds)
    if _OF_STATS in fields:
        return _from_ms(fields[_OF_STATS])
    text = fields.get("date", "").strip()
    if "T" in text:
        return moment("date", text)
    for form in _FORMATS:
        try:
            found = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return moment("date", found.isoformat())
    raise InvalidEventError(
        Reason.BAD_TIME, f"date is {text!r:.40}, want 03 May 2021 22:10 or Unix seconds"
    )

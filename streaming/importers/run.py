"""An import: lines into plays, plays into events on the topic of histories."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Final, Protocol

from pymongo.database import Database

from segue.clock import Clock, rfc3339
from segue.errors import HistoryError, Reason
from segue.events import Action, PlaybackEvent
from segue.fields import MAX_ID_CHARS
from segue.store import Document
from segue.track_names import FoundTrack, find_tracks, name_id_of, named_source
from streaming.importers.lastfm import read_lastfm
from streaming.importers.ledger import Ledger
from streaming.importers.listenbrainz import read_listenbrainz
from streaming.importers.play import TRUNCATED, Line, Play, Refusal, chunked
from streaming.importers.source import DAMAGED, Source, head_of
from streaming.importers.spotify import read_spotify

READERS: Final[dict[str, Callable[[IO[bytes], str], Iterator[Line]]]] = {
    "spotify": read_spotify,
    "listenbrainz": read_listenbrainz,
    "lastfm": read_lastfm,
}
TOO_SHORT_MS: Final = 1_000
"""Nobody heard what was played for less: it went by on the way to another track."""

_BATCH: Final = 5_000
_AHEAD: Final = timedelta(days=1)
_EVENT_ID_CHARS: Final = 32
_SIGNS: Final = {
    "spotify": ("master_metadata_track_name", "endTime", "msPlayed"),
    "listenbrainz": ("track_metadata",),
}


class Sender(Protocol):
    """Where events go; `streaming.producer.Producer` is one."""

    def send(self, event: PlaybackEvent) -> None:
        """Send one event."""

    def flush(self) -> None:
        """Wait until all are safe."""


@dataclass
class Summary:
    """Where the lines went: `n_read` is the sum of the others."""

    n_read: int = 0
    stored: int = 0
    unmatched: int = 0
    duplicate: int = 0
    too_short: int = 0
    invalid: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def refuse(self, refusal: Refusal) -> None:
        """Count a line of which no play can be made."""
        reason = str(refusal.reason)
        self.invalid[reason] += 1
        self.examples.setdefault(reason, refusal.detail)

    @property
    def n_invalid(self) -> int:
        """Lines of which no play could be made."""
        return self.invalid.total()

    def as_json(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        return {
            "read": self.n_read,
            "stored": self.stored,
            "duplicate": self.duplicate,
            "too_short": self.too_short,
            "unmatched": self.unmatched,
            "invalid": self.n_invalid,
            "invalid_by_reason": dict(self.invalid),
            "examples": self.examples,
        }


@dataclass(frozen=True)
class Importer:
    """What an import needs.

    Attributes
    ----------
    kind : str
        A key of `READERS`.
    listener : str or None
        Whose history it is; None where the file says so.
    sender : Sender or None
        None for a trial that sends and notes nothing.
    """

    kind: str
    listener: str | None
    database: Database[Document]
    ledger: Ledger
    sender: Sender | None
    clock: Clock

    def run(
        self, path: Path, summary: Summary, progress: Callable[[int], None]
    ) -> None:
        """Import one file; `summary` is right whenever this ends.

        Parameters
        ----------
        progress : callable
            Takes how many bytes of the file have been read.

        Raises
        ------
        HistoryError
            When the file cannot be read, is of another kind, or names no listener.
        """
        source = Source(path)
        try:
            for lines in chunked(read_lines(source, self.kind), _BATCH):
                self._take(lines, summary)
                progress(source.tell())
        finally:
            source.close()

    def _take(self, lines: Sequence[Line], summary: Summary) -> None:
        """Take one batch; what it counts has been sent and noted."""
        done = Summary(n_read=len(lines))
        new = list(self._new_plays(lines, done))
        found = find_tracks(self.database, [play.name for _, play in new])
        for (event_id, play), track in zip(new, found, strict=True):
            if self.sender is not None:
                listener = self._listener_of(play)
                event = event_of(self.kind, listener, event_id, play, track)
                self.sender.send(event)
        lost = [
            play.name for (_, play), track in zip(new, found, strict=True) if not track
        ]
        done.unmatched, done.stored = len(lost), len(new) - len(lost)
        self.ledger.add_unmatched(lost)
        if self.sender is not None:
            self.sender.flush()
            self.ledger.commit()
        _add(summary, done)

    def _new_plays(
        self, lines: Sequence[Line], done: Summary
    ) -> Iterator[tuple[str, Play]]:
        plays = [
            (event_id_of(self.kind, self._listener_of(play), play), play)
            for play in self._plays(lines, done)
        ]
        new = self.ledger.add([event_id for event_id, _ in plays])
        for event_id, play in plays:
            if event_id in new:
                new.remove(event_id)
                yield event_id, play
            else:
                done.duplicate += 1

    def _plays(self, lines: Sequence[Line], done: Summary) -> Iterator[Play]:
        latest = self.clock() + _AHEAD
        for line in lines:
            if isinstance(line, Refusal):
                done.refuse(line)
            elif line.at > latest:
                detail = f"it was played at {rfc3339(line.at)}"
                done.refuse(Refusal(Reason.FUTURE_TIME, detail))
            elif line.played_ms is not None and line.played_ms < TOO_SHORT_MS:
                done.too_short += 1
            elif len(self._listener_of(line)) > MAX_ID_CHARS:
                done.refuse(Refusal(Reason.TOO_LONG, "the name of the listener"))
            else:
                yield line

    def _listener_of(self, play: Play) -> str:
        return listener_of(play, self.listener)


def listener_of(play: Play, chosen: str | None) -> str:
    """Return whose play it is.

    Raises
    ------
    HistoryError
        When neither the file nor anybody says so.
    """
    listener = chosen or play.listener
    if listener is None:
        raise HistoryError(
            "the file does not say whose history it is; add --listener NAME"
        )
    return listener


def event_id_of(kind: str, listener: str, play: Play) -> str:
    """Return the id of a play: the same whenever it is imported."""
    name = play.name
    told = (kind, listener, rfc3339(play.at), play.played_ms, name.artist, name.title)
    key = "\n".join(map(str, told))
    return hashlib.sha256(key.encode()).hexdigest()[:_EVENT_ID_CHARS]


def event_of(
    kind: str, listener: str, event_id: str, play: Play, track: FoundTrack | None
) -> PlaybackEvent:
    """Return the event of a play; `track` is None where the catalogue has none."""
    name = play.name
    # no more of it comes: it was left, as a play that the player sees end otherwise
    end = "other" if play.action is Action.PROGRESSED else None
    duration_ms = name.duration_ms or (track.duration_ms if track else None)
    return PlaybackEvent(
        event_id=event_id,
        user_id=listener,
        track_id=track.track_id if track else name_id_of(name.artist, name.title),
        session_id=f"{kind}-{play.at:%Y%m%d}",
        play_id=event_id,
        action=play.action,
        event_time=play.at,
        played_ms=play.played_ms,
        duration_ms=duration_ms,
        source=named_source("import", name, importer=kind, end=end),
    )


def read_lines(source: Source, kind: str) -> Iterator[Line]:
    """Yield the lines of all parts of a history.

    Raises
    ------
    HistoryError
        When the file is damaged, or looks like another kind.
    """
    n_read = 0
    try:
        for part in source.parts():
            head, whole = head_of(part)
            _require_kind(source.path, head, kind)
            for line in READERS[kind](whole, head):
                n_read += 1
                yield line
    except DAMAGED as error:
        if "encrypted" in str(error):
            raise HistoryError(
                f"{source.path} is locked by a password; unpack it and import the files"
            ) from None
        if n_read == 0:
            raise HistoryError(f"{source.path} is damaged: {error}") from None
        yield Refusal(TRUNCATED, f"the file is damaged from here on: {error}")


def _require_kind(path: Path, head: str, kind: str) -> None:
    for other, signs in _SIGNS.items():
        if other != kind and any(f'"{sign}"' in head for sign in signs):
            raise HistoryError(
                f"{path} looks like a history of {other}, not of {kind}; try "
                f"`segue import {other} {path}`"
            )
    start = head.lstrip("\ufeff \t\r\n")[:15].lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise HistoryError(f"{path} is a web page; download the history itself")
    if kind == "lastfm" and start.startswith(("[", "{")):
        raise HistoryError(f"{path} is JSON; a history of Last.fm is CSV or TSV")
    first = head.split("\n", 1)[0]
    if (
        kind != "lastfm"
        and not any(sign in head for sign in "[{")
        and ("\t" in first or "," in first)
    ):
        raise HistoryError(
            f"{path} looks like a table, not like a history of {kind}; try "
            f"`segue import lastfm {path}`"
        )


def _add(total: Summary, done: Summary) -> None:
    total.n_read += done.n_read
    total.stored += done.stored
    total.unmatched += done.unmatched
    total.duplicate += done.duplicate
    total.too_short += done.too_short
    total.invalid += done.invalid
    for reason, detail in done.examples.items():
        total.examples.setdefault(reason, detail)

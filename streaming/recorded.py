"""Recorded events by time: JSON lines, the archive, histories from elsewhere.

What may be larger than memory is sorted by an index: one pass notes when each event was
and where it stands, a second reads them in order.
"""

import gzip
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final, Protocol

import numpy as np
from pymongo.database import Database

from segue.errors import HistoryError, InvalidEventError
from segue.events import Action, PlaybackEvent, parse_event
from segue.store import Document
from segue.track_names import find_tracks
from streaming.archive import dates_of, read_date
from streaming.cells import fields_in
from streaming.importers.play import Play, chunked
from streaming.importers.run import event_id_of, event_of, listener_of, read_lines
from streaming.importers.source import Source

_GZIP: Final = b"\x1f\x8b"
_AT_ONCE: Final = 2_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)


class Recorded(Protocol):
    """Events in order of their times."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __iter__(self) -> Iterator[PlaybackEvent]:
        """Yield them."""


class RecordedLines:
    """The events in a file of JSON lines.

    Parameters
    ----------
    file : binary file
        That can be read from any place.
    refused : Counter
        Counts, by reason, the lines that are no event; blank ones are passed over.
    """

    def __init__(self, file: IO[bytes], refused: Counter[str]) -> None:
        self._file = file
        times_ms: list[int] = []
        places: list[int] = []
        place = 0
        for line in file:
            if line.strip():
                try:
                    event = parse_event(line.rstrip(b"\r\n"))
                    times_ms.append((event.event_time - _EPOCH) // _MS)
                    places.append(place)
                except InvalidEventError as error:
                    refused[str(error.reason)] += 1
            place += len(line)
        order = np.argsort(np.array(times_ms, np.int64), kind="stable")
        self._places = np.array(places, np.int64)[order]

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[PlaybackEvent]:
        for place in self._places.tolist():
            self._file.seek(place)
            yield parse_event(self._file.readline().rstrip(b"\r\n"))


class RecordedArchive:
    """The events of an archive, one date after the other.

    Parameters
    ----------
    folder : Path
        That holds `event_date=…`.
    since, until : date or None
        First and last date, both included.
    listener : str or None
        Only theirs.
    """

    def __init__(
        self, folder: Path, since: date | None, until: date | None, listener: str | None
    ) -> None:
        self._folder, self._listener = folder, listener
        self._dates = [
            day
            for day in dates_of(folder)
            if (since is None or since <= day) and (until is None or day <= until)
        ]
        if not self._dates:
            raise HistoryError(f"{folder} holds no events of these dates")
        self._n = sum(len(read_date(folder, day, listener)) for day in self._dates)

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[PlaybackEvent]:
        for day in self._dates:
            for batch in read_date(self._folder, day, self._listener).to_batches():
                yield from map(_event_in, batch.to_pylist())


def _event_in(row: dict[str, Any]) -> PlaybackEvent:
    fields = {name: row[name] for name in PlaybackEvent._fields}
    told = {name: fields_in(row[name]) for name in ("source", "extra") if row[name]}
    return PlaybackEvent(**fields | told | {"action": Action(row["action"])})


@contextmanager
def open_lines(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Open a file or a pipe, compressed or not, so that any place can be read."""
    head = file.read(len(_GZIP))
    if head != _GZIP and file.seekable():
        file.seek(0)
        yield file
        return
    with TemporaryFile() as copy:
        copy.write(head)
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        if head != _GZIP:
            yield copy
            return
        with TemporaryFile() as plain:
            try:
                with gzip.GzipFile(fileobj=copy) as packed:
                    shutil.copyfileobj(packed, plain)
            except (EOFError, OSError) as error:
                raise HistoryError(f"the gzip file is damaged: {error}") from None
            plain.seek(0)
            yield plain


@contextmanager
def open_history(
    path: Path,
    kind: str,
    listener: str | None,
    database: Database[Document] | None,
    refused: Counter[str],
) -> Iterator[IO[bytes]]:
    """Open a history of elsewhere as JSON lines of events.

    Parameters
    ----------
    database : Database or None
        Where the tracks are looked up; without one they are known by name.
    """
    source = Source(path)
    with TemporaryFile() as events:
        try:
            for lines in chunked(read_lines(source, kind), _AT_ONCE):
                plays = [line for line in lines if isinstance(line, Play)]
                refused.update(
                    str(line.reason) for line in lines if not isinstance(line, Play)
                )
                names = [play.name for play in plays]
                found = (
                    [None] * len(names)
                    if database is None
                    else find_tracks(database, names)
                )
                for play, track in zip(plays, found, strict=True):
                    user_id = listener_of(play, listener)
                    event_id = event_id_of(kind, user_id, play)
                    event = event_of(kind, user_id, event_id, play, track)
                    events.write(event.to_json() + b"\n")
        finally:
            source.close()
        events.seek(0)
        yield events

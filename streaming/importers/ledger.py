"""Which plays have been imported, on disk: a second import adds nothing.

What is written since the last `commit` is undone by a crash, so an event that Kafka
may not have is imported again; that is harmless, an `event_id` counts once.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from segue.errors import HistoryError
from segue.track_names import TrackName, name_id_of

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS imported (event_id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unmatched (
    name_id TEXT PRIMARY KEY, artist TEXT, title TEXT, album TEXT, n_plays INTEGER
) WITHOUT ROWID;
"""
_NOT_KEPT: Final = " WHERE column1 NOT IN (SELECT event_id FROM kept.imported)"
_AT_ONCE: Final = 500
_BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")


class Ledger:
    """A file of event ids and of names that the catalogue does not know.

    Parameters
    ----------
    path : Path
        Of the file; it is made where there is none.
    is_trial : bool
        What is added goes nowhere, and the file is only read.
    timeout_s : float
        How long to wait for another import that writes.
    """

    def __init__(
        self, path: Path, *, is_trial: bool = False, timeout_s: float = 5.0
    ) -> None:
        self._path, self._where = path, ""
        with self._clear_errors():
            if not is_trial:
                path.parent.mkdir(parents=True, exist_ok=True)
            # a name of no characters is a database of its own, gone when it is closed
            self._file = sqlite3.connect(
                "" if is_trial else path,
                timeout=timeout_s,
                # a trial leaves no transaction open, in which others would wait
                isolation_level=None if is_trial else "DEFERRED",
                uri=is_trial,
            )
            self._file.executescript(_TABLES)
            if is_trial and path.exists():
                self._file.execute("ATTACH ? AS kept", (f"file:{path}?mode=ro",))
                self._where = _NOT_KEPT

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, event_ids: Sequence[str]) -> set[str]:
        """Note events; return those that were not noted before."""
        new: set[str] = set()
        with self._clear_errors():
            for start in range(0, len(event_ids), _AT_ONCE):
                ids = list(map(bytes.fromhex, event_ids[start : start + _AT_ONCE]))
                told = self._file.execute(self._insert(len(ids)), ids)
                new.update(event_id.hex() for (event_id,) in told)
        return new

    def _insert(self, n: int) -> str:
        marks = ",".join(["(?)"] * n)
        return (
            f"INSERT OR IGNORE INTO imported SELECT column1 FROM (VALUES {marks})"  # noqa: S608  # marks only
            f"{self._where} RETURNING event_id"
        )

    def add_unmatched(self, names: Sequence[TrackName]) -> None:
        """Count plays of tracks that the catalogue does not know."""
        n_plays = Counter(name_id_of(name.artist, name.title) for name in names)
        first = {name_id_of(n.artist, n.title): n for n in reversed(names)}
        rows = [
            (
                name_id,
                first[name_id].artist,
                first[name_id].title,
                first[name_id].album,
                n,
            )
            for name_id, n in n_plays.items()
        ]
        with self._clear_errors():
            self._file.executemany(
                "INSERT INTO unmatched VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET n_plays = n_plays + excluded.n_plays",
                rows,
            )

    def forget_unmatched(self) -> None:
        """Begin the counts of unmatched names anew."""
        with self._clear_errors():
            self._file.execute("DELETE FROM unmatched")

    def unmatched(self) -> Iterator[tuple[str, str, str | None, int]]:
        """Yield artist, title, album and plays, the most played first."""
        yield from self._file.execute(
            "SELECT artist, title, album, n_plays FROM unmatched"
            " ORDER BY n_plays DESC, artist, title"
        )

    def commit(self) -> None:
        """Keep what was added."""
        with self._clear_errors():
            self._file.commit()

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if error.sqlite_errorname in _BUSY:
                raise HistoryError(
                    f"another import writes to the ledger {self._path}; wait for its "
                    "end, and start this one again"
                ) from None
            raise HistoryError(
                f"the ledger {self._path} cannot be used ({error}); move it away, and "
                "what was imported before is dropped as duplicate by the stream"
            ) from None

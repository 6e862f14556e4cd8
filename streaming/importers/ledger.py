"""Which plays have been imported, on disk: a second import adds nothing.

What is written since the last `commit` is undone by a crash, so an event that Kafka
may not have is imported again; that is harmless, an `event_id` counts once.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from segue.errors import HistoryError
from segue.track_names import TrackName, name_id_of

_TABLES = """
CREATE TABLE IF NOT EXISTS imported (event_id BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unmatched (
    name_id TEXT PRIMARY KEY, artist TEXT, title TEXT, album TEXT, n_plays INTEGER
) WITHOUT ROWID;
"""


class Ledger:
    """A file of event ids and of names that the catalogue does not know.

    Parameters
    ----------
    path : Path
        Of the file; it is made where there is none.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = sqlite3.connect(path)
            self._file.executescript(_TABLES)
        except sqlite3.Error as error:
            raise HistoryError(
                f"the ledger {path} cannot be used ({error}); move it away, and what "
                "was imported before is dropped as duplicate by the stream"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, event_id: str) -> bool:
        """Note an event; return False where it was noted before."""
        told = (bytes.fromhex(event_id),)
        done = self._file.execute("INSERT OR IGNORE INTO imported VALUES (?)", told)
        return done.rowcount == 1

    def add_unmatched(self, names: Sequence[TrackName]) -> None:
        """Count plays of tracks that the catalogue does not know."""
        self._file.executemany(
            "INSERT INTO unmatched VALUES (?, ?, ?, ?, 1)"
            " ON CONFLICT DO UPDATE SET n_plays = n_plays + 1",
            [
                (
                    name_id_of(name.artist, name.title),
                    name.artist,
                    name.title,
                    name.album,
                )
                for name in names
            ],
        )

    def forget_unmatched(self) -> None:
        """Begin the counts of unmatched names anew."""
        self._file.execute("DELETE FROM unmatched")

    def unmatched(self) -> Iterator[tuple[str, str, str | None, int]]:
        """Yield artist, title, album and plays, the most played first."""
        yield from self._file.execute(
            "SELECT artist, title, album, n_plays FROM unmatched"
            " ORDER BY n_plays DESC, artist, title"
        )

    def commit(self) -> None:
        """Keep what was added."""
        self._file.commit()

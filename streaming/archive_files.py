"""The files of one date of the archive: whole when they have their name.

A file that takes the place of others does so by a journal: a crash leaves the old ones
or the new one, and the next writer finishes what was begun.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FOLDER: Final = "events"
"""Of the archive, in the folder of all state."""
DATE_PREFIX: Final = "event_date="

# rows whose times are told together, and may be passed over together
_GROUP_ROWS: Final = 16_384
_JOURNAL: Final = "_merging.json"
_PLACE_NAMES: Final = ("topic", "partition", "offset")
PLACE_ORDER: Final = [(name, "ascending") for name in _PLACE_NAMES]
"""Where events lie in Kafka."""


@contextmanager
def held(folder: Path, name: str) -> Iterator[None]:
    """Hold something of the archive, as a date: who else wants it waits.

    What is held is free when its process has ended, however it did.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def place_of(folder: Path, day: date) -> Path:
    """Return where a date's files lie in an archive."""
    return folder / f"{DATE_PREFIX}{day.isoformat()}"


def date_of(place: Path) -> date:
    """Return the date whose files lie there."""
    return date.fromisoformat(place.name.removeprefix(DATE_PREFIX))


def files_of(place: Path) -> list[str]:
    """Return the whole files of a date."""
    return sorted(str(path) for path in place.glob("[!._]*.parquet"))


def write_file(place: Path, events: pa.Table, kind: str) -> Path:
    """Write a file, named after where its events lie in Kafka: again replaces it."""
    places = events.select(_PLACE_NAMES).sort_by(PLACE_ORDER)
    cells = [column.cast(pa.string()) for column in places.columns]
    names = "\n".join(pc.binary_join_element_wise(*cells, "|").to_pylist())
    digest = hashlib.sha256(names.encode()).hexdigest()[:24]
    path = place / f"{kind}-{digest}.parquet"
    hidden = place / f".{path.name}.{os.getpid()}"
    pq.write_table(events, hidden, compression="zstd", row_group_size=_GROUP_ROWS)
    os.replace(hidden, path)
    return path


def replace_files(place: Path, names: list[str], events: pa.Table) -> None:
    """Put one file of these events in the place of others, all at once."""
    journal = {"merged": names}
    hidden = place / f".{_JOURNAL}"
    whole = write_file(place, events, ".whole")
    hidden.write_text(json.dumps(journal | {"whole": whole.name}), encoding="utf-8")
    os.replace(hidden, place / _JOURNAL)
    finish_merging(place)


def finish_merging(place: Path) -> None:
    """Put the merged file in the place of the small ones, as the journal says.

    What a killed writer had not finished goes: nobody would ever forget what is in it.
    Whoever calls holds the date.
    """
    journal = place / _JOURNAL
    if journal.exists():
        _follow(journal)
    for left in (*place.glob(".*.parquet*"), place / f".{_JOURNAL}"):
        left.unlink(missing_ok=True)


def _follow(journal: Path) -> None:
    place = journal.parent
    said: dict[str, Any] = json.loads(journal.read_text(encoding="utf-8"))
    hidden = place / said["whole"]
    whole = place / said["whole"].removeprefix(".")
    if hidden.exists():
        os.replace(hidden, whole)
    if whole.exists():
        for name in set(said["merged"]) - {whole.name}:
            (place / name).unlink(missing_ok=True)
    journal.unlink()

"""Panes: what one listener did in one window, as rows, as entries and as documents.

Live events rest in short panes, each written whole from Spark's state. History and late
events rest in panes of a day, which are merged with what is stored; `copies` names the
messages that are in them, so that merging one twice changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Final, NamedTuple

import pyarrow as pa
from bson import CodecOptions
from pymongo import DESCENDING
from pymongo.database import Database

from models.forgetting import ForgetRule, remembered
from models.listens import Entry, distinct_entries
from segue import store
from segue.store import Document
from segue.track_names import is_name_id
from streaming.columns import column_of, lists, moments, tuples
from streaming.schemas import ENTRY_FIELDS, PLACE

DAY_S: Final = 86_400
_PLACE_OF: Final = itemgetter(0, 1)
_LATER_FIELDS: Final = ("session_id", "scope")
_TOLD: Final = itemgetter(*(n for n in ENTRY_FIELDS if n not in _LATER_FIELDS))
_LATE: Final = "is_late"
COUNTS: Final = (
    *("n_events", "n_unknown_track", "n_forgotten", "n_duplicates"),
    "n_over_limit",
)
"""Where the messages of a pane went; they add up to them."""


_PANE_FIELDS: Final = (
    *("user_id", "window_start", "window_length_s", "entries", "copies"),
    "n_over_limit",
)


class Copy(NamedTuple):
    """One message that brought an event; `place` is where it lies in Kafka."""

    event_id: str
    place: str


class Pane(NamedTuple):
    """One listener's entries in one window.

    Attributes
    ----------
    copies : list of Copy
        The messages that count here: all but late ones, which are counted as late.
    n_over_limit : int
        Messages beyond those that a pane keeps.
    """

    window_start: datetime
    length_s: int
    entries: list[Entry]
    copies: list[Copy]
    n_over_limit: int = 0

    @property
    def window(self) -> tuple[datetime, int]:
        """What tells a listener's panes apart."""
        return self.window_start, self.length_s


Panes = Mapping[str, list[Pane]]
"""Panes of each listener, by `user_id`."""


def pane_of(window_start: datetime, length_s: int, rows: list[dict[str, Any]]) -> Pane:
    """Return a pane from rows of entry fields, place and `is_late`."""
    told = [
        (
            row["partition"],
            row["offset"],
            bool(row.get(_LATE)),
            *(row[name] for name in ENTRY_FIELDS),
        )
        for row in rows
    ]
    return _pane(window_start, length_s, told, 0)


def panes_in(batch: pa.RecordBatch) -> dict[str, list[Pane]]:
    """Return the panes of each listener from rows of `by_listener`."""
    entries = batch["entries"]
    rows = tuples(entries.flatten(), [*PLACE, *ENTRY_FIELDS])
    is_late = [False] * len(rows)
    if entries.type.value_type.get_field_index(_LATE) >= 0:
        is_late = column_of(entries.flatten(), _LATE).to_pylist()
    told = [(*row[:2], late, *row[2:]) for row, late in zip(rows, is_late, strict=True)]
    panes: dict[str, list[Pane]] = defaultdict(list)
    for user_id, start, length_s, n, each in zip(
        batch["user_id"].to_pylist(),
        moments(batch["window_start"]),
        batch["length_s"].to_pylist(),
        batch["n_messages"].to_pylist(),
        lists(entries, told),
        strict=True,
    ):
        panes[user_id].append(_pane(start, length_s, each, n - len(each)))
    return dict(panes)


def _pane(
    window_start: datetime,
    length_s: int,
    rows: list[tuple[Any, ...]],
    n_over_limit: int,
) -> Pane:
    """Return a pane from rows of partition, offset, `is_late` and entry fields.

    Each event is kept once: the first copy of its partition.
    """
    rows.sort(key=_PLACE_OF)
    first: dict[str, Entry] = {}
    for _, _, _, *fields in rows:
        first.setdefault(fields[0], Entry(*fields))
    copies = [Copy(row[3], f"{row[0]}|{row[1]}") for row in rows if not row[2]]
    entries = distinct_entries(first.values())
    return Pane(window_start, length_s, entries, copies, n_over_limit)


def merged(stored: Pane, arrived: Pane) -> Pane:
    """Return both panes of a window as one; what is in both counts once."""
    known = {entry.event_id for entry in stored.entries}
    entries = [e for e in arrived.entries if e.event_id not in known]
    return stored._replace(
        entries=distinct_entries([*stored.entries, *entries]),
        copies=sorted({*stored.copies, *arrived.copies}),
    )


def without_forgotten(pane: Pane, rules: Iterable[ForgetRule]) -> Pane:
    """Return a pane without the entries that a rule covers; its copies are counted."""
    return pane._replace(entries=remembered(pane.entries, rules))


def entry_of(row: Mapping[str, Any]) -> Entry:
    """Return the entry that a row or a stored sub-document holds."""
    *told, at = _TOLD(row)
    # panes of before lack the last fields; every time zone is UTC
    later = map(row.get, _LATER_FIELDS)
    return Entry._make((*told, at.replace(tzinfo=UTC), *later))


def read_panes(
    database: Database[Document], windows: Mapping[str, Iterable[tuple[datetime, int]]]
) -> dict[str, list[Pane]]:
    """Read the named panes of each listener, where they are stored."""
    ids = [
        store.taste_window_id(user_id, *window)
        for user_id, wanted in windows.items()
        for window in wanted
    ]
    return _by_listener(database, {"_id": {"$in": ids}})


def read_recent_panes(
    database: Database[Document],
    user_ids: Iterable[str],
    oldest: datetime,
    pane_s: int,
) -> dict[str, list[Pane]]:
    """Read the panes, short ones and days, that may hold events since `oldest`."""
    reach = [
        {
            "window_length_s": length_s,
            "window_start": {"$gt": oldest - timedelta(seconds=length_s)},
        }
        for length_s in (pane_s, DAY_S)
    ]
    return _by_listener(database, {"user_id": {"$in": list(user_ids)}, "$or": reach})


def read_panes_between(
    database: Database[Document], user_id: str, since: datetime, until: datetime
) -> list[Pane]:
    """Read a listener's panes that begin from `since` to before `until`."""
    between = {"$gte": since, "$lt": until}
    wanted = {"user_id": user_id, "window_start": between}
    return _by_listener(database, wanted).get(user_id, [])


def newest_entry_at(
    database: Database[Document], user_id: str, rules: Iterable[ForgetRule]
) -> datetime | None:
    """Return the time of a listener's newest event that is not forgotten."""
    held, newest = list(rules), None
    found = database[store.TASTE_WINDOWS].find({"user_id": user_id}, _PANE_FIELDS)
    for document in found.sort("window_start", DESCENDING):
        pane = without_forgotten(pane_in(document), held)
        if newest and newest - pane.window_start >= timedelta(seconds=DAY_S):
            break
        times = [entry.event_time for entry in pane.entries]
        newest = max([*times, *([newest] if newest else [])], default=None)
    return newest


def _by_listener(
    database: Database[Document], wanted: Mapping[str, Any]
) -> dict[str, list[Pane]]:
    panes: dict[str, list[Pane]] = defaultdict(list)
    # half the time of decoding goes into time zones, which are all UTC
    naive: CodecOptions[Document] = CodecOptions(tz_aware=False)
    windows = database[store.TASTE_WINDOWS].with_options(naive)
    for found in windows.find(wanted, _PANE_FIELDS):
        panes[found["user_id"]].append(pane_in(found))
    return panes


def pane_in(document: Document) -> Pane:
    """Return the pane that a document holds."""
    entries = [entry_of(row) for row in document["entries"]]
    copies = [Copy(**copy) for copy in document.get("copies", [])]
    window = document["window_start"].replace(tzinfo=UTC), document["window_length_s"]
    return Pane(*window, entries, copies, document.get("n_over_limit", 0))


def names_in(panes: Iterable[Pane]) -> set[str]:
    """Return the tracks that are known by name only."""
    return {
        entry.track_id
        for pane in panes
        for entry in pane.entries
        if is_name_id(entry.track_id)
    }


def counts_of(pane: Pane, known: Iterable[Entry]) -> Document:
    """Return how many messages of a pane count, and how many of them for nothing.

    Parameters
    ----------
    known : iterable of Entry
        The entries whose tracks have vectors.
    """
    counted = {copy.event_id for copy in pane.copies}
    n_known = len(counted & {entry.event_id for entry in known})
    n_kept = len(counted & {entry.event_id for entry in pane.entries})
    n_of = (
        n_known,
        n_kept - n_known,
        len(counted) - n_kept,
        len(pane.copies) - len(counted),
        pane.n_over_limit,
    )
    return dict(zip(COUNTS, n_of, strict=True))

"""Stored panes written anew, beside the query that writes them from its state."""

from collections.abc import Callable
from typing import Any

from pymongo.database import Database

from segue import store
from segue.clock import Clock
from segue.store import Document
from segue.track_index import TrackIndex
from segue.track_names import find_by_name_id
from streaming.panes import DAY_S, Copy, Pane, names_in, pane_in
from streaming.tastes import window_document


def rewrite(
    database: Database[Document],
    pane_id: Any,
    change: Callable[[Pane], Pane],
    index: TrackIndex,
    clock: Clock,
) -> bool:
    """Write what `change` makes of a stored pane; return whether that is anything new.

    The pane may be written by another at any moment: then it is read again.
    """
    panes = database[store.TASTE_WINDOWS]
    while True:
        stored = panes.find_one({"_id": pane_id})
        if stored is None:
            return False
        document = _document(database, stored, change(pane_in(stored)), index)
        if document == {**stored, "index_version": index.version}:
            return False
        unchanged = {"_id": pane_id, "updated_at": stored["updated_at"]}
        document |= {"updated_at": clock()}
        if panes.replace_one(unchanged, document).matched_count:
            return True


def _document(
    database: Database[Document], stored: Document, pane: Pane, index: TrackIndex
) -> Document:
    aliases = find_by_name_id(database, names_in([pane]))
    user_id, at = stored["user_id"], stored["updated_at"]
    if pane.length_s == DAY_S:
        return window_document(user_id, pane, index, aliases, at)
    # a short pane is stored without its messages: their number stays, less what it lost
    copies = [Copy(entry.event_id, "") for entry in pane.entries]
    counted = window_document(user_id, pane._replace(copies=copies), index, aliases, at)
    n_lost = len(stored["entries"]) - len(pane.entries)
    return counted | {
        "n_forgotten": stored.get("n_forgotten", 0) + n_lost,
        "n_duplicates": stored["n_duplicates"],
    }

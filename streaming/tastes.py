"""From panes to documents: what each says of a taste, and the list that follows.

All that is computed here follows from event times and entries, never from the time or
the batch in which it runs.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from models.ranking import Recommendation, Request, exclusions, rank
from models.taste import Entry, distinct_entries, faded, listens_of, taste_of
from segue import store
from segue.events import Action
from segue.settings import Settings, TasteSettings
from segue.store import Document
from segue.track_index import TrackIndex
from streaming.panes import DAY_S, Pane, Panes, counts_of


class Update(NamedTuple):
    """What is to be written for some listeners.

    Attributes
    ----------
    without_list : dict
        Listeners of whom nothing is left, as of a time: they are as new.
    """

    windows: list[Document]
    lists: list[Document]
    without_list: dict[str, datetime]


def create_update(
    changed: Panes,
    others: Panes,
    index: TrackIndex,
    settings: Settings,
    updated_at: datetime,
    aliases: Mapping[str, str] | None = None,
) -> Update:
    """Return the documents of the listeners in `changed`.

    Parameters
    ----------
    changed : mapping
        Panes of each listener that are to be written.
    others : mapping
        Their remaining panes inside the horizon, as written before.
    aliases : mapping, optional
        The track of each name that the catalogue knows by now.
    """
    known_as = aliases or {}
    windows = [
        window_document(user_id, pane, index, known_as, updated_at)
        for user_id, panes in changed.items()
        for pane in panes
    ]
    entries = {
        user: _entries([*panes, *others.get(user, [])], known_as)
        for user, panes in changed.items()
    }
    users = [user for user, each in entries.items() if _says_something(each)]
    lists = rank(
        [_request(entries[user], index, settings.taste) for user in users],
        index,
        settings.taste.negative_pull,
        settings.taste.n_recommendations,
    )
    documents = [
        _list_document(
            user, rows, entries[user][-1].event_time, index, settings, updated_at
        )
        for user, rows in zip(users, lists, strict=True)
    ]
    silent = {
        user: each[-1].event_time
        for user, each in entries.items()
        if each and user not in users
    }
    return Update(windows, documents, silent)


def _says_something(entries: list[Entry]) -> bool:
    return any(entry.action != Action.FORGOTTEN for entry in entries)


def _request(
    entries: list[Entry], index: TrackIndex, settings: TasteSettings
) -> Request:
    as_of = entries[-1].event_time
    earliest = as_of - timedelta(seconds=settings.horizon_s)
    recent = [entry for entry in entries if entry.event_time > earliest]
    listens = faded(
        listens_of(recent), as_of, settings.half_life_s, settings.negative_half_life_s
    )
    return Request(
        taste_of(listens, index.row_of, index.vectors),
        listens,
        exclusions(recent, as_of, settings.heard_s, len(index.track_ids)),
    )


def _entries(panes: list[Pane], aliases: Mapping[str, str]) -> list[Entry]:
    together = distinct_entries(entry for pane in panes for entry in pane.entries)
    return [_as_known(entry, aliases) for entry in together]


def _as_known(entry: Entry, aliases: Mapping[str, str]) -> Entry:
    track_id = aliases.get(entry.track_id)
    return entry if track_id is None else entry._replace(track_id=track_id)


def window_document(
    user_id: str,
    pane: Pane,
    index: TrackIndex,
    aliases: Mapping[str, str],
    updated_at: datetime,
) -> Document:
    """Return the `taste_windows` document of a pane."""
    entries = [_as_known(entry, aliases) for entry in pane.entries]
    known = [entry for entry in entries if _is_known(entry, index)]
    listens = listens_of(known)
    taste = taste_of(listens, index.row_of, index.vectors)
    copies = [copy._asdict() for copy in pane.copies]
    return {
        "_id": store.taste_window_id(user_id, *pane.window),
        "user_id": user_id,
        "window_start": pane.window_start,
        "window_length_s": pane.length_s,
        "vector": taste.positive.mean.tolist(),
        "weight": taste.positive.weight,
        "negative_vector": taste.negative.mean.tolist(),
        "negative_weight": taste.negative.weight,
        "n_listens": len(listens),
        **counts_of(pane, known),
        "entries": [entry._asdict() for entry in pane.entries],
        # a short pane comes whole out of Spark's state, and need not know its messages
        **({"copies": copies} if pane.length_s == DAY_S else {}),
        "index_version": index.version,
        "updated_at": updated_at,
    }


def _is_known(entry: Entry, index: TrackIndex) -> bool:
    # what is forgotten need not be a track
    return entry.track_id in index.row_of or entry.action == Action.FORGOTTEN


def _list_document(
    user_id: str,
    rows: list[Recommendation],
    newest_event_at: datetime,
    index: TrackIndex,
    settings: Settings,
    updated_at: datetime,
) -> Document:
    return {
        "_id": user_id,
        "items": [_item(row, settings.stream.pane_s) for row in rows],
        "index_version": index.version,
        "newest_event_at": newest_event_at,
        "updated_at": updated_at,
    }


def _item(row: Recommendation, pane_s: int) -> Document:
    because = [
        {
            "track_id": reason.track_id,
            "share": reason.share,
            "window_start": _window_start(reason.listened_at, pane_s),
        }
        for reason in row.because
    ]
    return {
        "track_id": row.track_id,
        "rank": row.rank,
        "score": row.score,
        "parts": row.parts,
        "because": because,
    }


def _window_start(moment: datetime, pane_s: int) -> datetime:
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % pane_s, moment.tzinfo)

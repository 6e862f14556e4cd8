"""What listeners want forgotten, as documents in MongoDB.

A rule stays for good: what it covers may come again, out of Kafka, out of a history or
from a device that was offline.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from pymongo.database import Database

from models.forgetting import ForgetRule, forget_rule, remembered, together
from segue import store
from segue.events import Action, Scope
from segue.names import artist_id_of, main_artist, name_key
from segue.store import Document
from streaming.panes import entry_of

Rules = Mapping[str, tuple[ForgetRule, ...]]
"""What is forgotten of each listener, by `user_id`; listeners without are not in it."""

_TRACK_FIELDS: Final = ("artist", "artist_id", "album", "name_id")


def write_rules(database: Database[Document], rows: Iterable[Mapping[str, Any]]) -> int:
    """Keep the rules of `forgotten` events; return how many events there are.

    Parameters
    ----------
    rows : iterable of mapping
        Accepted events; those of other actions are passed over.
    """
    said = [row for row in rows if row["action"] == Action.FORGOTTEN]
    for row in said:
        document = _document(database, row)
        # a batch that runs again must not bring back work that is done
        database[store.FORGETS].update_one(
            {"_id": document["_id"]}, {"$setOnInsert": document}, upsert=True
        )
    return len(said)


def read_rules(database: Database[Document], user_ids: Iterable[str]) -> Rules:
    """Return what is forgotten of the listeners."""
    return _by_listener(
        database[store.FORGETS].find({"user_id": {"$in": sorted(user_ids)}})
    )


def read_new_rules(database: Database[Document]) -> tuple[list[str], Rules]:
    """Return the rules under which stored listens are still to be taken out.

    Returns
    -------
    tuple
        The `_id` of each, and the rules by listener.
    """
    found = list(database[store.FORGETS].find({"done_at": None}))
    return [each["_id"] for each in found], _by_listener(found)


def listens_under(user_id: str, rule: ForgetRule) -> Document:
    """Return the filter for a listener's stored listens that a rule covers."""
    return {"user_id": user_id, **conditions_of(rule, "listened_at")}


def conditions_of(rule: ForgetRule, time_field: str) -> Document:
    """Return the filter for what a rule covers, by the name of its time."""
    bounds = {"$gte": rule.since, "$lte": rule.until}
    given = {name: moment for name, moment in bounds.items() if moment is not None}
    of_field = {} if rule.field is None else {rule.field: {"$in": list(rule.values)}}
    return of_field | ({time_field: given} if given else {})


def is_forgotten(row: Mapping[str, Any], rules: Rules) -> bool:
    """Tell whether a rule covers an event of which `row` has the entry fields."""
    held = rules.get(row["user_id"], ())
    return bool(held) and not remembered([entry_of(row)], held)


def _by_listener(found: Iterable[Document]) -> Rules:
    rules: dict[str, list[ForgetRule]] = defaultdict(list)
    for document in found:
        rules[document["user_id"]].append(_rule_of(document))
    return {user: together(each) for user, each in rules.items()}


def _rule_of(document: Document) -> ForgetRule:
    return forget_rule(
        Scope(document["scope"]),
        document["said_at"],
        document["until"],
        document["play_id"],
        document["session_id"],
        document["track_ids"],
    )


def _document(database: Database[Document], row: Mapping[str, Any]) -> Document:
    scope = Scope(row["scope"] or Scope.LISTEN)
    document = {
        "_id": f"{row['user_id']}|{row['event_id']}",
        "scope": scope.value,
        "said_at": row["event_time"],
        **{name: row[name] for name in ("user_id", "until", "play_id", "session_id")},
        "track_ids": _track_ids(database, scope, row["user_id"], row["track_id"]),
        "done_at": None,
    }
    # counted before they go, so that their listener can be told
    under = listens_under(row["user_id"], _rule_of(document))
    return document | {"n_listens": database[store.LISTENS].count_documents(under)}


class _Album(NamedTuple):
    """Whose track it is, and the key of its album's name."""

    artist_id: str
    album: str


def _track_ids(
    database: Database[Document], scope: Scope, user_id: str, track_id: str
) -> list[str]:
    """Return the ids under which the meant tracks are, or may have been, played."""
    tracks = database[store.TRACKS]
    meant = tracks.find_one({"$or": [{"_id": track_id}, {"name_id": track_id}]}) or {}
    ids = {track_id, meant.get("_id"), meant.get("name_id")}
    if scope in (Scope.ARTIST, Scope.ALBUM):
        heard = _heard_by_name(database, user_id)
        album = _album_of(meant) if meant else heard.get(track_id)
        if album is not None:
            for each in tracks.find({"artist_id": album.artist_id}, _TRACK_FIELDS):
                if _is_meant(_album_of(each), album, scope):
                    ids |= {each["_id"], each.get("name_id")}
            ids |= {i for i, other in heard.items() if _is_meant(other, album, scope)}
    return sorted(filter(None, ids))


def _is_meant(other: _Album, album: _Album, scope: Scope) -> bool:
    return other == album or (
        scope is Scope.ARTIST and other.artist_id == album.artist_id
    )


def _album_of(track: Document) -> _Album:
    artist_id = track.get("artist_id") or artist_id_of(main_artist(track["artist"]))
    return _Album(artist_id, name_key(track.get("album") or ""))


def _heard_by_name(database: Database[Document], user_id: str) -> dict[str, _Album]:
    """Return what a listener heard of which others told the names, by `track_id`."""
    named = {"user_id": user_id, "source.artist": {"$exists": True}}
    listens = database[store.LISTENS].find(named, ("track_id", "source"))
    return {each["track_id"]: _album_of(each["source"]) for each in listens}

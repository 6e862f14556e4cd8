"""MongoDB: what is found fast, and what is deleted when it is old."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, OperationFailure

from segue import shown, store
from segue.errors import MongoUnreachableError, ServiceError
from segue.store import Document

_LISTENS_AGE: Final = "age"
_S_PER_DAY: Final = 86_400


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())


INDEXES: Final[Mapping[str, list[IndexModel]]] = {
    store.TRACKS: [
        IndexModel([("artist", ASCENDING), ("album", ASCENDING), ("title", ASCENDING)]),
        IndexModel([("artist_id", ASCENDING)]),
        IndexModel([("album_id", ASCENDING), ("track_no", ASCENDING)]),
        IndexModel([("genre_ids", ASCENDING)]),
        IndexModel([("recording_id", ASCENDING)]),
        IndexModel([("name_id", ASCENDING)]),
        IndexModel([("added_at", DESCENDING)]),
    ],
    store.ARTISTS: [IndexModel([("name", ASCENDING)])],
    store.ALBUMS: [
        IndexModel([("name", ASCENDING)]),
        IndexModel([("artist_id", ASCENDING), ("first_year", ASCENDING)]),
    ],
    store.GENRES: [IndexModel([("n_tracks", DESCENDING)])],
    store.LISTENS: [
        IndexModel([("user_id", ASCENDING), ("listened_at", DESCENDING)]),
        # what is trending is read from it alone
        IndexModel(
            [
                ("listened_at", DESCENDING),
                ("track_id", ASCENDING),
                ("user_id", ASCENDING),
                ("weight", ASCENDING),
            ]
        ),
    ],
    store.REACTIONS: [
        IndexModel([("user_id", ASCENDING), ("at", DESCENDING)]),
        IndexModel([("user_id", ASCENDING), ("action", ASCENDING), ("at", DESCENDING)]),
    ],
    store.BLOCKS: [IndexModel([("user_id", ASCENDING), ("at", DESCENDING)])],
    store.TASTE_WINDOWS: [
        IndexModel([("user_id", ASCENDING), ("window_start", ASCENDING)]),
        IndexModel([("window_start", ASCENDING)]),
        IndexModel(
            [("index_version", ASCENDING)],
            name="waiting",
            partialFilterExpression={"n_unknown_track": {"$gt": 0}},
        ),
        # what has just happened; not of days, which histories write by the thousand
        IndexModel(
            [("updated_at", DESCENDING)],
            name="newest",
            partialFilterExpression={"window_length_s": {"$lt": _S_PER_DAY}},
        ),
    ],
    store.TASTE_DAYS: [IndexModel([("user_id", ASCENDING), ("day", ASCENDING)])],
    store.RECOMMENDATIONS: [IndexModel([("updated_at", ASCENDING)])],
    store.LISTS_DUE: [IndexModel([("since", ASCENDING)])],
    store.ACTIVITY: [
        # which spans there are, and which of them were written anew, from it alone
        IndexModel(
            [
                ("level", ASCENDING),
                ("kind", ASCENDING),
                ("start", ASCENDING),
                ("updated_at", ASCENDING),
                ("_id", ASCENDING),
            ]
        ),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
    ],
    store.ACTIVITY_DUE: [IndexModel([("due_at", ASCENDING)])],
    store.SHOWN_LISTS: [
        IndexModel([("shown_at", ASCENDING)], expireAfterSeconds=_seconds(shown.KEPT)),
        IndexModel([("user_id", ASCENDING)]),
    ],
    store.SHOWN_DAYS: [
        IndexModel([("day", ASCENDING)], expireAfterSeconds=_seconds(shown.DAYS_KEPT)),
        IndexModel([("user_id", ASCENDING)]),
    ],
    store.SERVED: [
        # which spans there are, and which of them were written anew, from it alone
        IndexModel(
            [
                *(("level", ASCENDING), ("start", ASCENDING)),
                *(("updated_at", ASCENDING), ("surface", ASCENDING)),
                *(("model", ASCENDING), ("_id", ASCENDING)),
            ]
        ),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
    ],
    store.SERVED_DUE: [IndexModel([("due_at", ASCENDING)])],
    store.REJECTED_COUNTS: [
        IndexModel(
            [("topic", ASCENDING), ("partition", ASCENDING), ("from_offset", ASCENDING)]
        ),
        IndexModel([("counted_at", ASCENDING)]),
    ],
    store.LIST_DELAYS: [
        IndexModel([("start", ASCENDING)]),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
    ],
    store.STREAM_MINUTES: [
        IndexModel([("start", ASCENDING)]),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
    ],
    store.AUDIO_REPORTS: [IndexModel([("made_at", DESCENDING)])],
    store.FORGETS: [
        IndexModel([("user_id", ASCENDING)]),
        IndexModel([("done_at", ASCENDING)]),
    ],
    store.TOKENS: [IndexModel([("user_id", ASCENDING)])],
    store.USERS: [IndexModel([("folded", ASCENDING)], unique=True)],
    store.LOGINS: [
        IndexModel([("user_id", ASCENDING)]),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
    ],
    store.PLAYLISTS: [
        IndexModel([("user_id", ASCENDING), ("changed_at", DESCENDING)]),
        IndexModel(
            [("deleted_at", ASCENDING)], expireAfterSeconds=store.DELETED_PLAYLISTS_S
        ),
        IndexModel(
            [("shared", ASCENDING)],
            unique=True,
            partialFilterExpression={"shared": {"$type": "string"}},
        ),
    ],
}


def prepare(database: Database[Document]) -> None:
    """Make the indexes; doing it again changes nothing.

    Raises
    ------
    MongoUnreachableError
        When no server answers within the timeout of the settings.
    ServiceError
        When the server refuses.
    """
    try:
        for collection, indexes in INDEXES.items():
            database[collection].create_indexes(indexes)
    except ConnectionFailure as error:
        raise MongoUnreachableError(
            f"MongoDB does not answer ({error}); start it with `segue up`, or set "
            "SEGUE_MONGO_URI to a running replica set"
        ) from error
    except OperationFailure as error:
        raise ServiceError(
            f"MongoDB refuses to make the indexes of database {database.name!r}: "
            f"{(error.details or {}).get('errmsg', error)}; check the user's rights, "
            "or set SEGUE_MONGO_DATABASE to another database"
        ) from error


def keep_listens_for(database: Database[Document], days: int) -> None:
    """Let MongoDB delete listens that are older; 0 days keeps all."""
    listens = database[store.LISTENS]
    age_s = days * _S_PER_DAY
    found = listens.index_information().get(_LISTENS_AGE, {}).get("expireAfterSeconds")
    if found is not None and found != age_s:
        listens.drop_index(_LISTENS_AGE)
    if days:
        listens.create_index(
            [("listened_at", ASCENDING)], name=_LISTENS_AGE, expireAfterSeconds=age_s
        )

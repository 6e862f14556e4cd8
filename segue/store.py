"""MongoDB: collections, indexes, and how documents are written.

Every `_id` is derived from the data and every write replaces by `_id` (in `tracks`: the
fields that the writer knows), so any write can be repeated. Collections (see
`docs/architecture.md` for their documents):

=================  =====================================  ==============================
collection         `_id`                                  written by
=================  =====================================  ==============================
`tracks`           track_id                               `segue library scan`
`artists`          hash of the name                       `segue library scan`
`albums`           hash of album artist and title         `segue library scan`
`genres`           hash of the name                       `segue library scan`
`listens`          user_id|play_id                        the stream
`taste_windows`    user_id|window_start|window_length_s   the stream
`taste_days`       user_id|date                           the stream
`taste_past`       user_id                                the stream
`tastes`           user_id                                the stream
`recommendations`  user_id                                the stream
`lists_due`        user_id                                the stream
`rejected_counts`  topic|partition|from_offset            the stream
`stream_progress`  name of the query                      the stream
`forgets`          user_id|event_id                       the stream
`tokens`           SHA-256 of the token                   `segue token`
`users`            user_id                                sign-up, `segue account`
`logins`           SHA-256 of the token                   the log-in page
`catalogue`        "tracks"                               whoever writes `tracks`
=================  =====================================  ==============================
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from pymongo import (
    ASCENDING,
    DESCENDING,
    AsyncMongoClient,
    IndexModel,
    MongoClient,
    ReplaceOne,
    UpdateOne,
)
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
)

from segue.clock import rfc3339
from segue.errors import MongoUnreachableError, ServiceError
from segue.settings import MongoSettings

Document = dict[str, Any]
_DUPLICATE_KEY: Final = 11_000

TRACKS: Final = "tracks"
ARTISTS: Final = "artists"
ALBUMS: Final = "albums"
GENRES: Final = "genres"
LISTENS: Final = "listens"
TASTE_WINDOWS: Final = "taste_windows"
TASTE_DAYS: Final = "taste_days"
TASTE_PAST: Final = "taste_past"
TASTES: Final = "tastes"
RECOMMENDATIONS: Final = "recommendations"
LISTS_DUE: Final = "lists_due"
REJECTED_COUNTS: Final = "rejected_counts"
STREAM_PROGRESS: Final = "stream_progress"
FORGETS: Final = "forgets"
TOKENS: Final = "tokens"
USERS: Final = "users"
LOGINS: Final = "logins"
CATALOGUE: Final = "catalogue"

_LISTENS_AGE: Final = "age"
_S_PER_DAY: Final = 86_400

INDEXES: Final[Mapping[str, list[IndexModel]]] = {
    TRACKS: [
        IndexModel([("artist", ASCENDING), ("album", ASCENDING), ("title", ASCENDING)]),
        IndexModel([("artist_id", ASCENDING)]),
        IndexModel([("album_id", ASCENDING), ("track_no", ASCENDING)]),
        IndexModel([("genre_ids", ASCENDING)]),
        IndexModel([("recording_id", ASCENDING)]),
        IndexModel([("name_id", ASCENDING)]),
    ],
    ARTISTS: [IndexModel([("name", ASCENDING)])],
    ALBUMS: [
        IndexModel([("name", ASCENDING)]),
        IndexModel([("artist_id", ASCENDING), ("first_year", ASCENDING)]),
    ],
    GENRES: [IndexModel([("n_tracks", DESCENDING)])],
    LISTENS: [
        IndexModel([("user_id", ASCENDING), ("listened_at", DESCENDING)]),
    ],
    TASTE_WINDOWS: [
        IndexModel([("user_id", ASCENDING), ("window_start", ASCENDING)]),
        IndexModel([("window_start", ASCENDING)]),
        IndexModel(
            [("index_version", ASCENDING)],
            name="waiting",
            partialFilterExpression={"n_unknown_track": {"$gt": 0}},
        ),
    ],
    TASTE_DAYS: [IndexModel([("user_id", ASCENDING), ("day", ASCENDING)])],
    RECOMMENDATIONS: [IndexModel([("updated_at", ASCENDING)])],
    LISTS_DUE: [IndexModel([("since", ASCENDING)])],
    REJECTED_COUNTS: [
        IndexModel(
            [("topic", ASCENDING), ("partition", ASCENDING), ("from_offset", ASCENDING)]
        )
    ],
    FORGETS: [
        IndexModel([("user_id", ASCENDING)]),
        IndexModel([("done_at", ASCENDING)]),
    ],
    TOKENS: [IndexModel([("user_id", ASCENDING)])],
    USERS: [IndexModel([("folded", ASCENDING)], unique=True)],
    LOGINS: [
        IndexModel([("user_id", ASCENDING)]),
        IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
    ],
}


def connect(settings: MongoSettings) -> Database[Document]:
    """Open the database for blocking use; nothing is sent yet.

    Raises
    ------
    MongoUnreachableError
        When `settings.uri` is unset or malformed.
    """
    with _clear_uri_errors():
        client: MongoClient[Document] = MongoClient(
            _uri(settings), **_options(settings)
        )
        return client[settings.database]


def connect_async(settings: MongoSettings) -> AsyncDatabase[Document]:
    """Open the database for use on an event loop; nothing is sent yet."""
    with _clear_uri_errors():
        client: AsyncMongoClient[Document] = AsyncMongoClient(
            _uri(settings), **_options(settings)
        )
        return client[settings.database]


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
    listens = database[LISTENS]
    age_s = days * _S_PER_DAY
    found = listens.index_information().get(_LISTENS_AGE, {}).get("expireAfterSeconds")
    if found is not None and found != age_s:
        listens.drop_index(_LISTENS_AGE)
    if days:
        listens.create_index(
            [("listened_at", ASCENDING)], name=_LISTENS_AGE, expireAfterSeconds=age_s
        )


def upsert(
    database: Database[Document], collection: str, documents: Iterable[Document]
) -> None:
    """Replace each document by its `_id`, or insert it."""
    requests = [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in documents]
    if requests:
        database[collection].bulk_write(requests, ordered=False)


def upsert_unless_newer(
    database: Database[Document],
    collection: str,
    documents: Iterable[Document],
    field: str,
) -> None:
    """Replace each document by its `_id`, unless the stored one has a later `field`."""
    requests = [
        ReplaceOne({"_id": d["_id"], field: {"$lte": d[field]}}, d, upsert=True)
        for d in documents
    ]
    if not requests:
        return
    try:
        database[collection].bulk_write(requests, ordered=False)
    except BulkWriteError as error:
        # where the stored one is newer, the insert finds its place taken
        if any(e["code"] != _DUPLICATE_KEY for e in error.details["writeErrors"]):
            raise


def insert_new(
    collection: Collection[Document], documents: Sequence[Document]
) -> list[int]:
    """Insert documents; return the places of those whose `_id` was there already."""
    if not documents:
        return []
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        if any(each["code"] != _DUPLICATE_KEY for each in failed):
            raise
        return [each["index"] for each in failed]
    return []


def merge(
    database: Database[Document], collection: str, documents: Iterable[Document]
) -> None:
    """Set the fields of each document by its `_id`, or insert it.

    Unlike :func:`upsert` it keeps the fields that others have written.
    """
    requests = [
        UpdateOne({"_id": d["_id"]}, {"$set": d}, upsert=True) for d in documents
    ]
    if requests:
        database[collection].bulk_write(requests, ordered=False)


def touch_catalogue(database: Database[Document]) -> None:
    """Tell those who keep something of `tracks` in memory that it has changed."""
    database[CATALOGUE].update_one(
        {"_id": TRACKS}, {"$inc": {"version": 1}}, upsert=True
    )


def catalogue_version(database: Database[Document]) -> int:
    """Return a number that grows whenever `tracks` changes."""
    found = database[CATALOGUE].find_one({"_id": TRACKS}) or {}
    return int(found.get("version", 0))


def taste_window_id(user_id: str, window_start: datetime, window_length_s: int) -> str:
    """Return the `_id` of a listener's pane.

    Examples
    --------
    >>> from datetime import UTC
    >>> taste_window_id("ada", datetime(2026, 5, 3, 22, 10, tzinfo=UTC), 300)
    'ada|2026-05-03T22:10:00.000Z|300'
    """
    return f"{user_id}|{rfc3339(window_start)}|{window_length_s}"


@contextmanager
def _clear_uri_errors() -> Iterator[None]:
    try:
        yield
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise MongoUnreachableError(
            f"SEGUE_MONGO_URI (or the database name) cannot be used: {error}; it looks "
            "like mongodb://user:password@host:27017/?replicaSet=rs, with / : @ % in a "
            "password written as %2F %3A %40 %25"
        ) from None


def _uri(settings: MongoSettings) -> str:
    if settings.uri is None:
        raise MongoUnreachableError(
            "no MongoDB is set; start one with `segue up`, or set SEGUE_MONGO_URI"
        )
    return settings.uri.get_secret_value()


def _options(settings: MongoSettings) -> dict[str, Any]:
    return {
        "appname": "segue",
        "serverSelectionTimeoutMS": settings.timeout_ms,
        "tz_aware": True,
    }

"""MongoDB: its collections, and how documents are written.

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
`reactions`        user_id|track_id                       the stream
`blocks`           user_id|scope|track_id                 the stream
`taste_windows`    user_id|window_start|window_length_s   the stream
`taste_days`       user_id|date                           the stream
`taste_past`       user_id                                the stream
`tastes`           user_id                                the stream
`recommendations`  user_id                                the stream
`lists_due`        user_id                                the stream
`activity`         level|start|kind|part                  the stream
`activity_due`     level|start                            the stream
`shown_lists`      user_id|list_id                        who shows a list
`shown_days`       user_id|date                           who shows a list
`served`           level|start|surface|model              the stream
`served_due`       level|start                            the stream, who shows a list
`list_delays`      minute                                 the stream
`population`       kind|date or number                    `segue population`
`rejected_counts`  topic|partition|from_offset            the stream
`stream_progress`  name of the query                      the stream
`audio_reports`    version of the index                   `segue features`
`stream_minutes`   query|minute                           the stream
`stream_notes`     what is to be said                     the stream
`forgets`          user_id|event_id                       the stream
`tokens`           SHA-256 of the token                   `segue token`
`users`            user_id                                sign-up, `segue account`
`logins`           SHA-256 of the token                   the log-in page
`playlists`        user_id|<hex>                          the playlist pages
`catalogue`        "tracks"                               whoever writes `tracks`
`music_folders`    path of the folder                     `segue library scan --add`
=================  =====================================  ==============================
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from pymongo import AsyncMongoClient, MongoClient, ReplaceOne, UpdateOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, ConfigurationError, InvalidURI

from segue.clock import rfc3339
from segue.errors import MongoUnreachableError
from segue.settings import MongoSettings

Document = dict[str, Any]
_DUPLICATE_KEY: Final = 11_000

TRACKS: Final = "tracks"
ARTISTS: Final = "artists"
ALBUMS: Final = "albums"
GENRES: Final = "genres"
LISTENS: Final = "listens"
REACTIONS: Final = "reactions"
BLOCKS: Final = "blocks"
TASTE_WINDOWS: Final = "taste_windows"
TASTE_DAYS: Final = "taste_days"
TASTE_PAST: Final = "taste_past"
TASTES: Final = "tastes"
RECOMMENDATIONS: Final = "recommendations"
LISTS_DUE: Final = "lists_due"
LIST_DELAYS: Final = "list_delays"
ACTIVITY: Final = "activity"
ACTIVITY_DUE: Final = "activity_due"
SHOWN_LISTS: Final = "shown_lists"
SHOWN_DAYS: Final = "shown_days"
SERVED: Final = "served"
SERVED_DUE: Final = "served_due"
POPULATION: Final = "population"
PLAYLISTS: Final = "playlists"
REJECTED_COUNTS: Final = "rejected_counts"
STREAM_PROGRESS: Final = "stream_progress"
AUDIO_REPORTS: Final = "audio_reports"
STREAM_MINUTES: Final = "stream_minutes"
STREAM_NOTES: Final = "stream_notes"
FORGETS: Final = "forgets"
TOKENS: Final = "tokens"
USERS: Final = "users"
LOGINS: Final = "logins"
CATALOGUE: Final = "catalogue"
MUSIC_FOLDERS: Final = "music_folders"

MESSAGES: Final = "messages"
"""In `stream_minutes` in the place of a query's name: what became of messages."""
UNCOUNTED: Final = "uncounted"
"""In `stream_notes`: dates of the archive that `activity` does not have."""
DELETED_PLAYLISTS_S: Final = 86_400
"""For how long a playlist that was deleted can be had back."""


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

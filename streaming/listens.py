"""Each listener's history: one document a play, with its last word.

Written with a condition, so that copies, late events and batches that run again leave
the same document, in whatever order they come.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
from pymongo import UpdateOne
from pymongo.database import Database
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import LongType, StructField, StructType

from models.listens import PLAY_ENDS
from segue import store
from segue.clock import rfc3339
from segue.events import Action, listen_weight
from segue.fields import MAX_INT
from segue.settings import Settings
from segue.store import Document
from streaming.cells import fields_in
from streaming.columns import dicts
from streaming.forget_rules import is_forgotten, read_rules
from streaming.outcomes import NAMES_A_LIST, write_outcomes
from streaming.said import SAID, write_said
from streaming.session import settle_worker, worker_database

HEARD: Final = sorted({Action.PROGRESSED.value, *(end.value for end in PLAY_ENDS)})
"""Actions that tell of a play; one that has only begun is no listen yet."""

_WRITTEN: Final = StructType([StructField("n_events", LongType(), nullable=False)])
_FIELDS: Final = (
    *("user_id", "play_id", "session_id", "track_id", "event_id", "action"),
    *("event_time", "played_ms", "duration_ms", "source", "scope"),
)
_SOURCE_FIELDS: Final = (
    *("surface", "list_id", "rank", "organic", "artist", "title", "album"),
)
_PROPENSITY: Final = "propensity"


def write_listens(accepted: DataFrame, settings: Settings) -> None:
    """Bring the `listens` of accepted events up to date.

    The `reactions`, `blocks` and outcomes of `shown_lists` too.

    Parameters
    ----------
    accepted : DataFrame
        Of schema `JUDGED`.
    """
    # of what only begins, what begins in a list
    begins = F.col("action") == Action.STARTED.value
    listed = begins & F.col("source").contains(NAMES_A_LIST)
    is_told = F.col("action").isin([*HEARD, *SAID]) | listed
    told = accepted.where(is_told).select(*_FIELDS)
    told.mapInArrow(_writing(settings), _WRITTEN).collect()


def _writing(
    settings: Settings,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def written(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        settle_worker()
        database = worker_database(settings.mongo)
        schema = to_arrow_schema(_WRITTEN)
        n_events = 0
        for batch in batches:
            rules = read_rules(database, set(batch["user_id"].to_pylist()))
            told = [r for r in dicts(batch) if not is_forgotten(r, rules)]
            heard = [row for row in told if row["action"] in HEARD]
            write_documents(database, map(listen_document, heard))
            write_said(database, told)
            write_outcomes(database, told, settings.stream.hours_wait_s)
            n_events += len(told)
        yield pa.RecordBatch.from_pylist([{"n_events": n_events}], schema=schema)

    return written


def write_documents(
    database: Database[Document], documents: Iterable[Document]
) -> None:
    """Write listens; of several words of one play, stored ones too, the last stays.

    Most of a history are new: those are inserted, ten times as fast as a write with a
    condition, which is left to the others. Both are safe beside other writers.
    """
    last: dict[str, Document] = {}
    for document in documents:
        before = last.get(document["_id"])
        if before is None or before["word"] < document["word"]:
            last[document["_id"]] = document
    listens = database[store.LISTENS]
    known = {
        found["_id"] for found in listens.find({"_id": {"$in": list(last)}}, ("_id",))
    }
    new = [document for _id, document in last.items() if _id not in known]
    others = [update_of(last[_id]) for _id in known]
    others += [update_of(new[place]) for place in store.insert_new(listens, new)]
    if others:
        listens.bulk_write(others, ordered=False)


def listen_document(row: Mapping[str, Any]) -> Document:
    """Return what one event says of its play.

    Of several, the one of greatest `word` is the last word: an end before any progress,
    then the later.
    """
    is_end = row["action"] in PLAY_ENDS
    word = f"{int(is_end)}|{rfc3339(row['event_time'])}|{row['event_id']}"
    action, played_ms = Action(row["action"]), row["played_ms"]
    return {
        "_id": f"{row['user_id']}|{row['play_id']}",
        **{
            name: row[name] for name in ("user_id", "play_id", "session_id", "track_id")
        },
        "action": action.value,
        "listened_at": row["event_time"],
        "played_ms": played_ms,
        "duration_ms": row["duration_ms"],
        "weight": listen_weight(action, played_ms, row["duration_ms"]),
        "source": _source(row["source"]),
        "word": word,
    }


def update_of(document: Document) -> UpdateOne:
    """Return the write that replaces a listen, unless its last word is a later one."""
    # what a listener wrote is a literal: it may begin with a dollar sign
    is_later = {"$gt": [{"$literal": document["word"]}, {"$ifNull": ["$word", ""]}]}
    choice = {"$cond": [is_later, {"$literal": document}, "$$ROOT"]}
    return UpdateOne({"_id": document["_id"]}, [{"$replaceWith": choice}], upsert=True)


def _source(text: str | None) -> Document:
    """Return the known fields of a source, where they are plain values."""
    told = fields_in(text)
    known = {
        name: told[name] for name in _SOURCE_FIELDS if _can_be_stored(told.get(name))
    }
    likely = told.get(_PROPENSITY)
    if isinstance(likely, bool):  # which is an int
        return known
    if isinstance(likely, float | int) and 0 < likely <= 1:
        known[_PROPENSITY] = float(likely)
    return known


def _can_be_stored(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, int) and -MAX_INT <= value <= MAX_INT
    )

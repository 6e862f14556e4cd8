"""Dates of the archive of which `activity` has nothing, as after an update.

It is looked at when the job starts: what is archived from then on is counted with it.
"""

import logging
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pymongo.database import Database
from pymongo.errors import PyMongoError

from segue import store
from segue.activity import Kind, Level
from segue.clock import Clock
from segue.events import Action
from segue.settings import Settings
from segue.store import Document
from streaming.archive import dates_of, event_files
from streaming.archive_files import FOLDER
from streaming.counting import COUNTED

# those that always count: of a play that only went on nothing does
_ACTIONS: Final = tuple(each for each in COUNTED if each != Action.PROGRESSED)
_LOG = logging.getLogger(__name__)
_SAYS: Final = (
    "%s dates of the archive, %s to %s, are not counted yet: the analytics pages show "
    "them when `segue activity rebuild` has run once"
)


def uncounted(settings: Settings, database: Database[Document]) -> list[date]:
    """Return the archive's dates that are not counted and have something to count.

    A date counts as counted from when its first span is noted: what came later was
    counted as it came.
    """
    days = {"level": Level.DAY.value, "kind": Kind.ALL.value}
    known = {at.date() for at in database[store.ACTIVITY].distinct("start", days)}
    # a month that is due says nothing of its dates
    noted = {"start": {"$type": "date"}, "level": {"$ne": Level.MONTH.value}}
    known |= {at.date() for at in database[store.ACTIVITY_DUE].distinct("start", noted)}
    left = [day for day in dates_of(settings.home / FOLDER) if day not in known]
    # one that has something is enough: the first that is looked at, nearly always
    return left if any(_has_plays(settings, day) for day in left) else []


def note_uncounted(
    settings: Settings, database: Database[Document], clock: Clock
) -> None:
    """Say in the log and in `stream_notes` what is not counted.

    It is a hint: what cannot be read, or written, is logged and ends nothing.
    """
    try:
        _note(settings, database, clock)
    except (OSError, ValueError, pa.ArrowException, PyMongoError) as error:
        _LOG.warning("dates that are not counted cannot be told: %s", error)


def _note(settings: Settings, database: Database[Document], clock: Clock) -> None:
    days = uncounted(settings, database)
    notes = database[store.STREAM_NOTES]
    if not days:
        notes.delete_one({"_id": store.UNCOUNTED})
        return
    first, last = days[0].isoformat(), days[-1].isoformat()
    _LOG.warning(_SAYS, len(days), first, last)
    said = {"n_dates": len(days), "first": first, "last": last, "noted_at": clock()}
    notes.replace_one({"_id": store.UNCOUNTED}, said, upsert=True)


def _has_plays(settings: Settings, day: date) -> bool:
    files = event_files(settings.home, [day])
    wanted = pc.field("action").isin(_ACTIONS)
    # a date of blocks and forgetting alone has no spans, however often it is counted
    return bool(len(ds.dataset(files, format="parquet").head(1, filter=wanted)))

"""Spans that are due, written beside the queries, when these leave time for it."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from pymongo.database import Database
from pymongo.errors import ConnectionFailure, PyMongoError

from segue import store
from segue.clock import Clock, system_clock
from segue.settings import Settings
from segue.store import Document
from streaming.activity_due import Due, first_due, postpone, settle
from streaming.activity_spans import Activity, activity_of
from streaming.archive_files import held
from streaming.served_spans import ServedSpans

_LOG = logging.getLogger(__name__)
_ROLLING: Final = "rolling"
# after each second of work, so that the queries have the cores
_REST_S: Final = 4.0
_AGAIN: Final = timedelta(minutes=1)


class Rolling:
    """Writes the spans that are due, those first that have been for longest.

    Parameters
    ----------
    place : str
        Collection of their notes.
    write : callable
        Writes one span, and takes its note away if nobody has noted it since.
    """

    def __init__(
        self,
        database: Database[Document],
        place: str,
        write: Callable[[Due], None],
        clock: Clock = system_clock,
    ) -> None:
        self._database, self._place, self._clock = database, place, clock
        self._write_one = write
        self._rests_until = 0.0
        self._is_over = False

    @property
    def name(self) -> str:
        """What its thread is called."""
        return f"rolling {self._place.removesuffix('_due')}"

    def look(self) -> None:
        """Write what is due; what fails is tried again later."""
        try:
            while not self._is_over and time.monotonic() >= self._rests_until:
                due = first_due(self._database, self._clock(), self._place)
                if due is None:
                    return
                began = time.monotonic()
                self._write(due)
                ended = time.monotonic()
                self._rests_until = ended + _REST_S * (ended - began)
        except PyMongoError as error:
            if not self._is_over:
                _LOG.warning("spans of %s wait: %s", self._place, error)

    def end(self) -> None:
        """Begin no other; what is due stays due."""
        self._is_over = True

    def _write(self, due: Due) -> None:
        try:
            self._write_one(due)
        except ConnectionFailure:
            raise
        except Exception as error:  # the boundary: it is in no other's way
            _LOG.warning("%s of %s: %r", self._place, due.document_id, error)
            until = self._clock() + _AGAIN
            postpone(self._database, due, until, self._place)


def rolling_activity(
    database: Database[Document], settings: Settings, clock: Clock = system_clock
) -> Rolling:
    """Return who writes longer spans of `activity` when shorter ones have been."""
    activity = activity_of(settings, database, clock)
    return Rolling(database, store.ACTIVITY_DUE, lambda due: roll(activity, due), clock)


def rolling_served(
    database: Database[Document], settings: Settings, clock: Clock = system_clock
) -> Rolling:
    """Return who counts what became of lists, of each hour in which something has."""
    spans = ServedSpans(database, settings.stream.hours_wait_s, clock)
    return Rolling(database, store.SERVED_DUE, spans.write_due, clock)


def roll(activity: Activity, due: Due) -> None:
    """Write a span that is due, and take its note away if nobody has noted it since.

    One at a time, whoever does it: what is written last is made of what is there last.
    """
    with held(activity.folder, _ROLLING):
        activity.renew(due.level, due.start)
        settle(activity.database, [due])

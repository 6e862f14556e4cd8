"""What is known of the stream at this moment, read from MongoDB."""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.freshness import LastList, State
from dashboard.queries import seconds_between
from dashboard.records import Ledger
from dashboard.stream_queries import read_health, read_ledger
from segue import store
from segue.activity import Level
from segue.delays import BINS
from segue.store import Document

_LAST: Final = timedelta(minutes=4)
"""Before the minute that runs."""
# after each second that adding up the ledger takes, for which nobody adds it up again
_REST_S: Final = 20.0
_LEAST_REST_S: Final = 0.5


async def read_state(database: AsyncDatabase[Document], now: datetime) -> State:
    """Read what is known now."""
    queries = await read_health(database, now)
    ages_s = {each.name: (now - each.updated_at).total_seconds() for each in queries}
    due = database[store.LISTS_DUE]
    first = await due.find_one({}, {"since": 1}, sort=[("since", ASCENDING)])
    since = None if first is None else first.get("since")
    return State(
        queries=queries,
        ages_s=ages_s,
        delays=await _read_delays(database, now),
        last=await _read_last(database, now),
        n_due=await due.estimated_document_count(),
        due_s=seconds_between(since, now) or 0.0,
        uncounted=await _read_uncounted(database),
    )


def bins_in(documents: list[Document]) -> dict[int, int]:
    """Return what documents of `list_delays` come to, by bin.

    What is no bin, or no number of lists, is passed over.
    """
    found: dict[int, int] = {}
    for document in documents:
        for number, n in bins_of(document):
            found[number] = found.get(number, 0) + n
    return found


def bins_of(document: Document) -> list[tuple[int, int]]:
    """Return the bins of one of them, each with its number of lists."""
    told = document.get("n")
    return [
        (BINS[name], n)
        for name, n in (told.items() if isinstance(told, dict) else ())
        if name in BINS and isinstance(n, int) and n > 0
    ]


class Books:
    """The ledger of all messages, added up no more often than it is cheap.

    The sums are over all panes, which are as many as people have listened in: so after
    each second that they take, twenty seconds pass until they are made again.

    Parameters
    ----------
    least_rest_s : float
        Seconds that pass at least.
    """

    def __init__(
        self, database: AsyncDatabase[Document], least_rest_s: float = _LEAST_REST_S
    ) -> None:
        self._database, self._least_rest_s = database, least_rest_s
        self._book: Ledger | None = None
        self._due = 0.0
        self._lock = asyncio.Lock()

    async def read(self) -> Ledger:
        """Return the ledger as it was last added up.

        Who asks while it is added up anew gets that of before, and waits for nothing.
        """
        book = self._book
        if book is not None and (self._lock.locked() or time.monotonic() < self._due):
            return book
        async with self._lock:
            began = time.monotonic()
            if self._book is None or began >= self._due:
                self._book = await read_ledger(self._database)
                took = time.monotonic() - began
                self._due = began + took + max(self._least_rest_s, _REST_S * took)
            return self._book


async def _read_delays(
    database: AsyncDatabase[Document], now: datetime
) -> dict[int, int]:
    since = Level.MINUTE.start_of(now) - _LAST
    found = database[store.LIST_DELAYS].find({"start": {"$gte": since}}, {"n": 1})
    return bins_in(await found.to_list())


async def _read_last(
    database: AsyncDatabase[Document], now: datetime
) -> LastList | None:
    fields = {"updated_at": 1, "newest_event_at": 1}
    newest = [("updated_at", DESCENDING)]
    last = await database[store.RECOMMENDATIONS].find_one({}, fields, sort=newest)
    if last is None:
        return None
    delay_s = seconds_between(last.get("newest_event_at"), last.get("updated_at"))
    ago_s = seconds_between(last.get("updated_at"), now)
    return None if delay_s is None or ago_s is None else LastList(delay_s, ago_s)


async def _read_uncounted(database: AsyncDatabase[Document]) -> str:
    said: dict[str, Any] | None = await database[store.STREAM_NOTES].find_one(
        {"_id": store.UNCOUNTED}
    )
    if said is None:
        return ""
    return (
        f"The archive has {said.get('n_dates', 0):,} dates, {said.get('first')} to "
        f"{said.get('last')}, of which nothing is counted yet: run “segue activity "
        "rebuild” once."
    )

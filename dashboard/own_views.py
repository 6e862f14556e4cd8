"""The live pages of what is a listener's own: liked, history, blocked."""

from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from pymongo.asynchronous.database import AsyncDatabase

from dashboard import ids, own_rows
from dashboard.history import (
    Change,
    Forgotten,
    by_day,
    read_forgotten,
    read_heard,
    read_titles,
)
from dashboard.live import LivePage, View
from dashboard.said import count_liked, read_blocked, read_liked
from dashboard.subscriber import Properties
from dashboard.views import as_text
from segue import store
from segue.clock import Clock
from segue.store import Document

LIKED: Final = "liked"
HISTORY: Final = "history"
BLOCKED: Final = "blocked"
PAGE_ROWS: Final = 50
MOST_ROWS: Final = 1_000
_MOST_REMEMBERED: Final = 1_000
_ZONES: Final = frozenset(available_timezones())


class OwnViews:
    """Renders them for the hub; remembers what forgetting did to lists."""

    def __init__(self, database: AsyncDatabase[Document], clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._effects = Effects()

    def pages(self) -> dict[str, LivePage]:
        """Return the pages that are pushed, by name."""
        said_of = frozenset({store.CATALOGUE})
        heard = frozenset({store.LISTENS, store.FORGETS, store.RECOMMENDATIONS})
        return {
            LIKED: LivePage(self._liked, said_of | {store.REACTIONS}, pause_s=0.2),
            HISTORY: LivePage(self._history, said_of | heard, pause_s=0.5),
            BLOCKED: LivePage(self._blocked, said_of | {store.BLOCKS}, pause_s=0.2),
        }

    async def _liked(self, view: View) -> Properties:
        n_rows = n_rows_of(view.key)
        liked = await read_liked(self._database, view.listener, n_rows)
        n_liked = await count_liked(self._database, view.listener)
        properties: dict[str, dict[str, Any]] = {
            ids.LIKED: {"children": own_rows.liked_rows(liked)},
            ids.LIKED_FACTS: {
                "children": f"{own_rows.number_of(n_liked, 'track')}, the newest first"
            },
            ids.LIKED_MORE: _more(len(liked), n_rows),
        }
        return as_text(properties)

    async def _history(self, view: View) -> Properties:
        n_rows, zone = n_rows_of(view.key), zone_of(view.key)
        database, listener = self._database, view.listener
        heard = await read_heard(database, listener, n_rows, zone)
        told = await read_forgotten(database, listener, self._clock())
        forgotten = None if told is None else self._effects.note(told)
        change = (forgotten and forgotten.change) or Change()
        left = await read_titles(database, change.left)
        came = await read_titles(database, change.came)
        properties: dict[str, dict[str, Any]] = {
            ids.HISTORY: {"children": own_rows.history_rows(by_day(heard))},
            ids.HISTORY_NOTE: {
                "children": own_rows.forgotten_note(forgotten, left, came)
            },
            ids.HISTORY_MORE: _more(len(heard), n_rows),
        }
        return as_text(properties)

    async def _blocked(self, view: View) -> Properties:
        blocked = await read_blocked(self._database, view.listener)
        content = own_rows.blocked_rows(blocked)
        return as_text({ids.BLOCKED: {"children": content}})


class Effects:
    """Remembers what forgetting did: the next event's list tells of that one alone."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, list[Change]] = OrderedDict()

    def note(self, forgotten: Forgotten) -> Forgotten:
        """Take in what is known now; return it with all that was seen of it.

        One event may change a list twice: when it comes, and when what was stored is
        out.
        """
        seen = self._seen.pop(forgotten.rule_id, [])
        change = forgotten.change
        if change is not None and change not in seen[-1:]:
            seen.append(change)
        self._seen[forgotten.rule_id] = seen
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)
        together = None
        for each in seen:
            together = each if together is None else together.then(each)
        return replace(forgotten, change=together)


def n_rows_of(key: str) -> int:
    """Return how many rows a view has, by the first word of its key.

    Examples
    --------
    >>> n_rows_of("100 Europe/Vienna"), n_rows_of("9999999"), n_rows_of("x")
    (100, 1000, 50)
    """
    told = key.partition(" ")[0]
    is_number = told.isascii() and told.isdigit() and len(told) < len("1000000000")
    return max(PAGE_ROWS, min(int(told), MOST_ROWS)) if is_number else PAGE_ROWS


def zone_of(key: str) -> tzinfo:
    """Return the time zone that a browser names after the number of rows, or UTC.

    Examples
    --------
    >>> str(zone_of("50 Europe/Vienna")), str(zone_of("50 ../../etc/passwd"))
    ('Europe/Vienna', 'UTC')
    """
    name = key.partition(" ")[2]
    return ZoneInfo(name) if name in _ZONES else UTC


def _more(n_shown: int, n_asked: int) -> dict[str, Any]:
    is_all = n_shown < n_asked or n_asked >= MOST_ROWS
    return {"style": {"display": "none"} if is_all else {}}

"""What is known of listeners: read from MongoDB, beside what has just arrived."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pymongo.database import Database

from segue.settings import Settings
from segue.store import Document
from segue.track_index import TrackIndex
from segue.track_names import find_by_name_id
from streaming.due import Due
from streaming.forget_rules import Rules
from streaming.panes import (
    Pane,
    Panes,
    merged,
    names_in,
    newest_entry_at,
    read_panes,
    read_recent_panes,
    without_forgotten,
)
from streaming.past import Wanted, read_past
from streaming.tastes import Known, dates_of, entries_of, oldest_needed


def newest_of(
    panes: Panes, before: Mapping[str, Document], dues: Mapping[str, Due]
) -> dict[str, datetime]:
    """Return the time of each listener's newest event, where nothing is forgotten.

    Listeners of whom no pane has come and no list is due or there are not in it.
    """
    newest = {}
    for user, each in panes.items():
        times = [pane.entries[-1].event_time for pane in each if pane.entries]
        times += [pane.window_start for pane in each]
        if user in before:
            times.append(before[user]["newest_event_at"])
        if user in dues:
            times.append(dues[user].newest_event_at)
        if times:
            newest[user] = max(times)
    return newest


def read_known(
    database: Database[Document],
    changed: Panes,
    newest: Mapping[str, datetime],
    rules: Rules,
    index: TrackIndex,
    settings: Settings,
    written: Mapping[str, frozenset[date]],
) -> dict[str, Known]:
    """Return what is known of each listener; `changed` has been written.

    Parameters
    ----------
    newest : mapping
        Time of the newest event of each.
    written : mapping
        Dates whose panes have been written without bringing the listener up to date.
    """
    if not changed:
        return {}
    newest = {
        user: newest_entry_at(database, user, rules[user]) or at
        if user in rules
        else at
        for user, at in newest.items()
    }
    oldest = {user: oldest_needed(at, settings.taste) for user, at in newest.items()}
    others = _read_other_panes(database, changed, min(oldest.values()), settings)
    recent = {
        user: [*panes, *_kept(others.get(user, []), rules.get(user, ()))]
        for user, panes in changed.items()
    }
    wanted = {
        user: Wanted(
            newest[user].date(), dates_of(panes) | written.get(user, frozenset())
        )
        for user, panes in changed.items()
    }
    past = read_past(database, wanted, rules, index, settings)
    names = names_in(pane for panes in recent.values() for pane in panes)
    aliases = find_by_name_id(database, names) if names else {}
    known = {}
    for user, panes in recent.items():
        entries = entries_of(panes, aliases)
        known[user] = Known(
            [e for e in entries if e.event_time >= oldest[user]], past[user]
        )
    return known


def remembered_panes(panes: Panes, rules: Rules) -> Panes:
    """Return the panes without what the rules cover."""
    if not rules:
        return panes
    return {u: _kept(each, rules.get(u, ())) for u, each in panes.items()}


def _kept(panes: list[Pane], rules: Any) -> list[Pane]:
    return [without_forgotten(pane, rules) for pane in panes] if rules else panes


def with_stored(database: Database[Document], arrived: Panes) -> dict[str, list[Pane]]:
    """Return panes, in their order, each with what is stored of the same window."""
    windows = {user: [pane.window for pane in arrived[user]] for user in arrived}
    stored = read_panes(database, windows)
    by_window = {(u, p.window): p for u, panes in stored.items() for p in panes}
    return {
        user: [
            merged(before, pane)
            if (before := by_window.get((user, pane.window)))
            else pane
            for pane in panes
        ]
        for user, panes in arrived.items()
    }


def _read_other_panes(
    database: Database[Document],
    changed: Panes,
    oldest: datetime,
    settings: Settings,
) -> Panes:
    """Read the listeners' panes since `oldest`, without the changed ones."""
    found = read_recent_panes(database, changed, oldest, settings.stream.pane_s)
    return {
        user_id: [
            pane
            for pane in panes
            if all(pane.window != each.window for each in changed[user_id])
        ]
        for user_id, panes in found.items()
    }

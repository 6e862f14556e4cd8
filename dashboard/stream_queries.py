"""What the analytics page reads from MongoDB, as view records."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pymongo import DESCENDING
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.queries import seconds_between
from dashboard.records import Activity, Ledger, MinuteOfPlays, QueryHealth
from segue import store
from segue.events import Action
from segue.store import Document

ACTIVITY_MIN: Final = 30
STALE_AFTER_S: Final = 30.0
_MAX_DELAYS: Final = 2000
_TOTAL: Final = "triggerExecution"


async def read_activity(
    database: AsyncDatabase[Document], now: datetime, pane_s: int
) -> Activity:
    """Read the plays, skips, listeners and delays of the last half hour.

    Parameters
    ----------
    pane_s : int
        Length of the panes of `taste_windows`, in seconds.
    """
    since = now.replace(second=0, microsecond=0) - timedelta(minutes=ACTIVITY_MIN - 1)
    rows = await database[store.TASTE_WINDOWS].aggregate(
        plays_pipeline(since, timedelta(seconds=pane_s))
    )
    counts = {(row["_id"]["minute"], row["_id"]["action"]): row async for row in rows}
    listeners = {user for row in counts.values() for user in row["users"]}
    delays = await _read_delays(database, since)
    return Activity(
        [_minute(since + timedelta(minutes=n), counts) for n in range(ACTIVITY_MIN)],
        len(listeners),
        percentile(delays, 0.50),
        percentile(delays, 0.95),
    )


def plays_pipeline(since: datetime, pane: timedelta) -> list[Mapping[str, Any]]:
    """Return the aggregation that counts plays and skips by minute.

    A play counts once, in the minute in which it first shows, whatever events it has.
    """
    shown = [Action.STARTED.value, Action.SKIPPED.value]
    return [
        {"$match": {"window_start": {"$gte": since - pane}}},
        {"$project": {"user_id": 1, "entries": 1}},
        {"$unwind": "$entries"},
        {
            "$match": {
                "entries.event_time": {"$gte": since},
                "entries.action": {"$in": shown},
            }
        },
        {
            "$group": {
                "_id": {
                    "user": "$user_id",
                    "play": "$entries.play_id",
                    "action": "$entries.action",
                },
                "at": {"$min": "$entries.event_time"},
            }
        },
        {
            "$group": {
                "_id": {
                    "minute": {"$dateTrunc": {"date": "$at", "unit": "minute"}},
                    "action": "$_id.action",
                },
                "n": {"$sum": 1},
                "users": {"$addToSet": "$_id.user"},
            }
        },
    ]


async def read_health(
    database: AsyncDatabase[Document], now: datetime
) -> list[QueryHealth]:
    """Read the last micro-batch of each streaming query, by name."""
    rows = await database[store.STREAM_PROGRESS].find().sort("_id").to_list()
    return [_health(row, now) for row in rows]


async def read_ledger(database: AsyncDatabase[Document]) -> Ledger:
    """Read where all messages went; the sums are made in MongoDB."""
    panes = await _read_sums(
        database,
        store.TASTE_WINDOWS,
        (
            *("n_events", "n_duplicates", "n_unknown_track", "n_forgotten"),
            "n_over_limit",
        ),
    )
    ranges, rejected = await read_intake(database)
    return Ledger(
        n_read=ranges["n_read"],
        n_accepted=panes["n_events"],
        n_duplicate=panes["n_duplicates"],
        n_late=ranges["n_late"],
        n_forgotten=panes["n_forgotten"],
        n_unmatched=panes["n_unknown_track"],
        n_over_limit=panes["n_over_limit"],
        rejected=rejected,
    )


async def read_intake(
    database: AsyncDatabase[Document],
) -> tuple[dict[str, int], dict[str, int]]:
    """Read how many messages were read and late, and how many rejected by reason."""
    sums = await _read_sums(database, store.REJECTED_COUNTS, ("n_read", "n_late"))
    return sums, await _read_rejected(database)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile of ascending `values`; None for none.

    Examples
    --------
    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5), percentile([], 0.5)
    (2.0, None)
    """
    if not values:
        return None
    return values[max(0, math.ceil(share * len(values)) - 1)]


def _minute(
    minute: datetime, counts: Mapping[tuple[datetime, str], Document]
) -> MinuteOfPlays:
    started, skipped = (
        counts.get((minute, action.value), {}).get("n", 0)
        for action in (Action.STARTED, Action.SKIPPED)
    )
    return MinuteOfPlays(minute, started, skipped)


async def _read_delays(
    database: AsyncDatabase[Document], since: datetime
) -> list[float]:
    rows = (
        database[store.RECOMMENDATIONS]
        .find({"updated_at": {"$gte": since}}, {"updated_at": 1, "newest_event_at": 1})
        .sort("updated_at", DESCENDING)
        .limit(_MAX_DELAYS)
    )
    delays = [
        seconds_between(row.get("newest_event_at"), row["updated_at"])
        async for row in rows
    ]
    return sorted(delay for delay in delays if delay is not None)


async def _read_sums(
    database: AsyncDatabase[Document], collection: str, names: Sequence[str]
) -> dict[str, int]:
    sums = {name: {"$sum": f"${name}"} for name in names}
    rows = await database[collection].aggregate([{"$group": {"_id": None, **sums}}])
    found = await rows.to_list()
    return {name: int(found[0][name]) if found else 0 for name in names}


async def _read_rejected(database: AsyncDatabase[Document]) -> dict[str, int]:
    rows = await database[store.REJECTED_COUNTS].aggregate(
        [
            {"$project": {"reasons": {"$objectToArray": "$rejected"}}},
            {"$unwind": "$reasons"},
            {"$group": {"_id": "$reasons.k", "n": {"$sum": "$reasons.v"}}},
            {"$match": {"n": {"$gt": 0}}},
            {"$sort": {"_id": 1}},
        ]
    )
    return {row["_id"]: int(row["n"]) async for row in rows}


def _health(row: Mapping[str, Any], now: datetime) -> QueryHealth:
    durations = row.get("duration_ms") or {}
    phases = {name: ms for name, ms in durations.items() if name != _TOTAL}
    age_s = (now - row["updated_at"]).total_seconds()
    return QueryHealth(
        name=row["_id"],
        batch_id=row.get("batch_id", -1),
        total_ms=durations.get(_TOTAL, sum(phases.values())),
        phases_ms=phases,
        rows_per_s=row.get("processed_rows_per_s") or 0.0,
        state_rows=row.get("state_rows", 0),
        watermark_lag_s=seconds_between(row.get("watermark"), now),
        n_dropped=row.get("n_dropped_by_watermark", 0),
        updated_at=row["updated_at"],
        is_stale=age_s > STALE_AFTER_S,
    )

"""What the page of the stream reads from MongoDB, as view records."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase

from dashboard.queries import seconds_between
from dashboard.records import Ledger, QueryHealth, Waiting
from segue import store
from segue.store import Document

STALE_AFTER_S: Final = 30.0
_TOTAL: Final = "triggerExecution"


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
        input_rows_per_s=row.get("input_rows_per_s") or 0.0,
        state_bytes=row.get("state_bytes", 0),
        n_waiting=row.get("n_waiting", 0),
        waiting=[Waiting(**part) for part in row.get("waiting", [])],
        busy_s=seconds_between(row.get("busy_since"), row["updated_at"]),
    )

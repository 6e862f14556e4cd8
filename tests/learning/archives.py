"""Archives of what some listeners did, without a stream."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from streaming.archive import append
from streaming.schemas import COORDINATES, EVENT_FIELDS, OTHER_FIELDS
from tests.factories import START

SCHEMA = to_arrow_schema(
    StructType([*EVENT_FIELDS, *OTHER_FIELDS, *COORDINATES]), timezone="UTC"
)
_offsets = count()


def event(
    user_id: str, track_id: str, action: str = "completed", **more: Any
) -> dict[str, Any]:
    """Return an archived event; a whole play of a track of a minute."""
    offset = next(_offsets)
    return (
        dict.fromkeys(SCHEMA.names)
        | {
            "event_id": f"e{offset}",
            "play_id": f"p{offset}",
            "user_id": user_id,
            "track_id": track_id,
            "action": action,
            "played_ms": 60_000,
            "duration_ms": 60_000,
            "event_time": START,
            "ingested_at": START,
            "topic": "playback.events",
            "partition": 0,
            "offset": offset,
        }
        | more
    )


def archive(home: Path, events: Iterable[dict[str, Any]]) -> None:
    """Put events into the archive below `home`."""
    by_date: dict[date, list[dict[str, Any]]] = {}
    for each in events:
        moment: datetime = each["event_time"]
        by_date.setdefault(moment.date(), []).append(each)
    for day, rows in by_date.items():
        append(home / "events", day, pa.Table.from_pylist(rows, schema=SCHEMA), 99)

"""The shape of every frame that crosses from Spark to Python and back."""

from typing import Final

from pyspark.sql.types import (
    BinaryType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

COORDINATES: Final = [
    StructField("topic", StringType(), nullable=False),
    StructField("partition", IntegerType(), nullable=False),
    StructField("offset", LongType(), nullable=False),
    StructField("ingested_at", TimestampType(), nullable=False),
]
"""Where a message lies in Kafka and when Kafka got it."""

EVENT_FIELDS: Final = [
    StructField("event_id", StringType()),
    StructField("user_id", StringType()),
    StructField("action", StringType()),
    StructField("track_id", StringType()),
    StructField("play_id", StringType()),
    StructField("played_ms", LongType()),
    StructField("duration_ms", LongType()),
    StructField("event_time", TimestampType()),
    StructField("session_id", StringType()),
    StructField("scope", StringType()),
]
"""What the stream needs of a playback event; null where it was rejected."""

OTHER_FIELDS: Final = [
    StructField("position_ms", LongType()),
    StructField("source", StringType()),
    StructField("until", TimestampType()),
    StructField("extra", StringType()),
]
"""What only the archive keeps of an event; `source` and `extra` as JSON."""


JUDGED: Final = StructType(
    [
        *COORDINATES,
        StructField("outcome", StringType(), nullable=False),
        StructField("reason", StringType()),
        StructField("raw", BinaryType()),
        *EVENT_FIELDS,
        *OTHER_FIELDS,
    ]
)
"""A message with its outcome, its event, and its bytes where there is a reason."""

VALID: Final = StructType(
    [f for f in COORDINATES if f.name in ("partition", "offset")] + EVENT_FIELDS
)
"""A valid event: what the taste needs."""

ENTRY_FIELDS: Final = [
    "event_id",
    "action",
    "track_id",
    "play_id",
    "played_ms",
    "duration_ms",
    "event_time",
    "session_id",
    "scope",
]
"""What a pane keeps of an event, in the order of `models.listens.Entry`."""

PLACE: Final = ["partition", "offset"]
"""Which of two copies of an event is the first."""

UPDATED: Final = StructType(
    [
        StructField("n_listeners", LongType(), nullable=False),
        StructField("n_panes", LongType(), nullable=False),
        StructField("n_lists", LongType(), nullable=False),
    ]
)
"""What a worker reports of the listeners that it brought up to date."""

"""Take in every message: count it, and archive it or hand it on with its reason.

Counts are kept by range of Kafka offsets: a batch that runs again writes the same
document again, and ranges that a new checkpoint cuts otherwise replace the old ones.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from pymongo.database import Database
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segue import store
from segue.clock import Clock, system_clock
from segue.events import Action
from segue.fields import MAX_EVENT_BYTES
from segue.settings import Settings
from segue.store import Document
from streaming.archive import archived
from streaming.forgetting import forget_new, keep_rules
from streaming.history import fold_in
from streaming.listens import write_listens
from streaming.source import Outcome


def intake(
    settings: Settings, clock: Clock = system_clock
) -> Callable[[DataFrame, int], None]:
    """Return the step that `foreachBatch` runs on judged messages.

    The counts come last: what they account for has been kept.
    """
    database = store.connect(settings.mongo)

    def take_in(judged: DataFrame, batch_id: int) -> None:
        messages = judged.persist()
        try:
            counts, n_known = _counts(messages), 0
            if any(row.reason for row in counts):
                _write_rejected(messages, settings)
            if any(row.outcome != Outcome.REJECTED for row in counts):
                accepted = messages.where(F.col("event_id").isNotNull())
                if any(row.n_forgotten for row in counts):
                    keep_rules(accepted, database)
                n_known = _keep(accepted, counts, settings)
            forget_new(judged.sparkSession, database, settings, clock)
            write_counts(database, counts, n_known, clock)
        finally:
            messages.unpersist()

    return take_in


def _keep(accepted: DataFrame, counts: list[Row], settings: Settings) -> int:
    """Keep accepted events; return how many the archive had, or is to forget."""
    dates = archived(accepted, settings).collect()
    write_listens(accepted, settings)
    history = settings.kafka.history_topic
    if any(row.topic == history or row.outcome == Outcome.LATE for row in counts):
        fold_in(accepted, settings)
    return sum(row.n_known for row in dates)


def _counts(messages: DataFrame) -> list[Row]:
    return (
        messages.groupBy("topic", "partition", "outcome", "reason")
        .agg(
            F.count("*").alias("n"),
            F.min("offset").alias("first_offset"),
            F.max("offset").alias("last_offset"),
            F.count_if(F.col("action") == Action.FORGOTTEN.value).alias("n_forgotten"),
        )
        .collect()
    )


def _write_rejected(messages: DataFrame, settings: Settings) -> None:
    rejected = messages.where(F.col("reason").isNotNull())
    key = F.concat_ws("|", "topic", "partition", "offset")
    value = F.to_json(
        F.struct(
            "reason",
            "topic",
            "partition",
            "offset",
            F.date_format("ingested_at", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").alias(
                "ingested_at"
            ),
            F.octet_length("raw").alias("n_bytes"),
            F.base64(F.substring("raw", 1, MAX_EVENT_BYTES)).alias("raw_base64"),
        )
    )
    (
        rejected.select(key.alias("key"), value.alias("value"))
        .write.format("kafka")
        .option("kafka.bootstrap.servers", settings.kafka.bootstrap)
        .option("topic", settings.kafka.rejected_topic)
        .save()
    )


def write_counts(
    database: Database[Document], counts: Iterable[Row], n_known: int, clock: Clock
) -> None:
    """Write one document for each range of offsets that `counts` covers.

    Parameters
    ----------
    n_known : int
        Events of all of them that were archived before; the first document has it. A
        batch that runs again finds its own, so the first count stays.
    """
    for place, document in enumerate(count_documents([r.asDict() for r in counts])):
        database[store.REJECTED_COUNTS].delete_many(
            {
                "_id": {"$ne": document["_id"]},
                "topic": document["topic"],
                "partition": document["partition"],
                "is_date": {"$ne": True},
                "from_offset": {
                    "$gte": document["from_offset"],
                    "$lt": document["until_offset"],
                },
            }
        )
        now = clock()
        told = document | {"updated_at": now}
        first = {"counted_at": now, "n_known": 0 if place else n_known}
        # a batch that runs again counts where it was counted first
        database[store.REJECTED_COUNTS].update_one(
            {"_id": document["_id"]},
            {"$set": told, "$setOnInsert": first},
            upsert=True,
        )


def count_documents(counts: Iterable[dict[str, Any]]) -> list[Document]:
    """Return `rejected_counts` documents from counts by partition and outcome."""
    by_partition: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in counts:
        by_partition[row["topic"], row["partition"]].append(row)
    return [
        _count_document(topic, partition, rows)
        for (topic, partition), rows in sorted(by_partition.items())
    ]


def _count_document(topic: str, partition: int, rows: list[dict[str, Any]]) -> Document:
    first = min(row["first_offset"] for row in rows)

    def total(outcome: Outcome) -> int:
        return sum(row["n"] for row in rows if row["outcome"] == outcome)

    return {
        "_id": f"{topic}|{partition}|{first}",
        "topic": topic,
        "partition": partition,
        "from_offset": first,
        "until_offset": max(row["last_offset"] for row in rows) + 1,
        "n_read": sum(row["n"] for row in rows),
        "n_valid": total(Outcome.VALID),
        "n_late": total(Outcome.LATE),
        "rejected": {
            row["reason"]: row["n"]
            for row in rows
            if row["outcome"] == Outcome.REJECTED
        },
    }

"""Counts of messages by outcome."""

from typing import Any

from streaming.intake import count_documents

TOPIC = "playback.events"


def row(
    partition: int, outcome: str, reason: str | None, n: int, offsets: tuple[int, int]
) -> dict[str, Any]:
    return {
        "topic": TOPIC,
        "partition": partition,
        "outcome": outcome,
        "reason": reason,
        "n": n,
        "first_offset": offsets[0],
        "last_offset": offsets[1],
    }


def test_a_document_covers_the_offsets_of_its_partition_and_adds_up() -> None:
    rows = [
        row(0, "valid", None, 5, (100, 109)),
        row(0, "valid", "unknown_track", 1, (103, 103)),
        row(0, "late", None, 2, (101, 102)),
        row(0, "rejected", "not_json", 3, (104, 110)),
        row(1, "valid", None, 1, (7, 7)),
    ]
    first, second = count_documents(rows)
    assert first == {
        "_id": "playback.events|0|100",
        "topic": TOPIC,
        "partition": 0,
        "from_offset": 100,
        "until_offset": 111,
        "n_read": 11,
        "n_valid": 6,
        "n_late": 2,
        "rejected": {"not_json": 3},
    }
    parts = first["n_valid"] + first["n_late"] + sum(first["rejected"].values())
    assert first["n_read"] == parts
    assert (second["_id"], second["n_read"]) == ("playback.events|1|7", 1)

"""Documents of days and of the past, and back."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from models.days import DayTaste, Familiar, PastTaste, Reaction, Weights
from models.listens import Block
from models.taste_fields import taste_document, taste_in
from segue.store import Document
from segue.track_index import TrackIndex


def day_document(user_id: str, day: date, says: DayTaste) -> Document:
    """Return the `taste_days` document of one date."""
    return {
        "_id": f"{user_id}|{day.isoformat()}",
        "user_id": user_id,
        "day": datetime.combine(day, time(), UTC),
        "track_ids": list(says.plays),
        "weights": [each.positive for each in says.plays.values()],
        "negative_weights": [each.negative for each in says.plays.values()],
        "reactions": [
            {"track_id": track_id, "weight": weight}
            for track_id, weight in says.reactions.items()
        ],
        "blocks": [block._asdict() for block in says.blocks],
        "n_listens": says.n_listens,
    }


def day_in(document: Mapping[str, Any]) -> DayTaste:
    """Return what a `taste_days` document says."""
    pairs = zip(document["weights"], document["negative_weights"], strict=True)
    return DayTaste(
        dict(zip(document["track_ids"], (Weights(*p) for p in pairs), strict=True)),
        {each["track_id"]: each["weight"] for each in document["reactions"]},
        tuple(Block(**block) for block in document["blocks"]),
        document["n_listens"],
    )


def past_document(
    past: PastTaste, generation: int, day: datetime, index: TrackIndex
) -> Document:
    """Return the `sums` of a `taste_past` document."""
    return {
        "generation": generation,
        "day": day,
        "index_version": index.version,
        "lineage": index.lineage,
        "month": taste_document(past.month, past.n_month),
        "always": taste_document(past.always, past.n_always),
        "reactions": [_dated(each) for each in past.reactions],
        "blocks": [block._asdict() for block in past.blocks],
        "familiar": [_dated(each) for each in past.familiar],
        "n_unknown": past.n_unknown,
    }


def past_in(sums: Mapping[str, Any]) -> PastTaste:
    """Return what the `sums` of a `taste_past` document say."""
    return PastTaste(
        month=taste_in(sums["month"]),
        always=taste_in(sums["always"]),
        reactions=tuple(Reaction(**_undated(each)) for each in sums["reactions"]),
        blocks=tuple(Block(**block) for block in sums["blocks"]),
        familiar=tuple(Familiar(**_undated(each)) for each in sums["familiar"]),
        n_month=sums["month"]["n_listens"],
        n_always=sums["always"]["n_listens"],
        n_unknown=sums["n_unknown"],
    )


def _dated(each: Reaction | Familiar) -> Document:
    return each._asdict() | {"day": datetime.combine(each.day, time(), UTC)}


def _undated(document: Mapping[str, Any]) -> dict[str, Any]:
    return {**document, "day": document["day"].date()}

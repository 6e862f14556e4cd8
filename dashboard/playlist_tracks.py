"""What the library knows of a playlist's tracks."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase

from dashboard.queries import PRESENT
from dashboard.refusals import RefusedError
from segue import store
from segue.store import Document

_TEXTS: Final = ("title", "artist", "album", "genre", "artist_id", "album_id")


async def read_rows(
    database: AsyncDatabase[Document], track_ids: Sequence[str]
) -> list[dict[str, Any]]:
    """Return what is known of each track, in their order.

    One that has left the library is marked `is_gone`.
    """
    shown = (*_TEXTS, "duration_s", "missing")
    rows = database[store.TRACKS].find(_among(track_ids), shown)
    known = {row["_id"]: _row(row["_id"], row) async for row in rows}
    return [known.get(id_) or _row(id_, {"missing": True}) for id_ in track_ids]


async def read_albums(
    database: AsyncDatabase[Document], track_ids: Iterable[str]
) -> dict[str, str]:
    """Return the album of each track that is there; of one without it the track."""
    wanted = {**_among(track_ids), **PRESENT}
    rows = database[store.TRACKS].find(wanted, ("artist", "album"))
    return {
        row["_id"]: f"{row.get('artist')}\n{row.get('album') or row['_id']}"
        async for row in rows
    }


async def read_durations_ms(
    database: AsyncDatabase[Document], track_ids: Iterable[str]
) -> dict[str, int]:
    """Return the length of each track that is known, there or gone for a while."""
    wanted = _among(track_ids)
    if not wanted["_id"]["$in"]:
        return {}
    rows = database[store.TRACKS].find(wanted, ("duration_s",))
    return {
        row["_id"]: round(1000 * (row.get("duration_s") or 0)) async for row in rows
    }


def total_ms(track_ids: Mapping[str, int], durations_ms: Mapping[str, int]) -> int:
    """Return the length of tracks, each so many times.

    Examples
    --------
    >>> total_ms({"a": 2, "b": 1, "c": 1}, {"a": 10, "b": 5})
    25
    """
    return sum(durations_ms.get(id_, 0) * n for id_, n in track_ids.items())


def require_known(track_ids: Sequence[str], known: Container[str]) -> None:
    """Raise `RefusedError` unless each of some tracks is known."""
    n_unknown = sum(track_id not in known for track_id in track_ids)
    if n_unknown:
        raise RefusedError(
            400,
            "unknown_track",
            f"{n_unknown} of {len(track_ids)} tracks are not in the library",
        )


def _among(track_ids: Iterable[str]) -> dict[str, Any]:
    return {"_id": {"$in": list(set(track_ids))}}


def _row(track_id: str, known: Mapping[str, Any]) -> dict[str, Any]:
    duration_s = known.get("duration_s")
    return {
        "track_id": track_id,
        **{name: known.get(name) or "" for name in _TEXTS},
        "duration_ms": None if duration_s is None else round(duration_s * 1000),
        "is_gone": bool(known.get("missing")),
    }

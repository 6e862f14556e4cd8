"""`POST /api/radio`: what a radio plays next, for who asks."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request
from plotly.io.json import to_json_plotly
from starlette.responses import Response

from dashboard.access import who_asks
from dashboard.api.edge import endpoint
from dashboard.movement import movements
from dashboard.radio import Programme, Radio, Wish
from dashboard.reasons import text_of
from dashboard.records import ForYou, ListedTrack
from dashboard.refusals import RefusedError
from dashboard.rows import listed_rows
from dashboard.shown import ShownLists
from dashboard.stations import TASTE
from models.listens import Listen
from segue.clock import Clock, rfc3339
from segue.errors import InvalidEventError
from segue.events import Action, listen_weight
from segue.fields import identifier, moment, number, optional, read_object, required

MOST_TRACKS: Final = 50
MOST_HEARD: Final = 200
MOST_SKIPPED: Final = 50
_N_TRACKS: Final = 20
_AGAINST: Final = (Action.SKIPPED, Action.DISLIKED)


def create_router(radio: Radio, shown: ShownLists, clock: Clock) -> APIRouter:
    """Return the route `/api/radio`."""
    router = APIRouter()

    async def post_radio(request: Request) -> Response:
        try:
            asked = read_asked(await request.body(), clock())
            user_id = who_asks().user_id
            programme = await radio.play(user_id, asked.wish)
        except InvalidEventError as error:
            raise RefusedError(400, error.reason, error.detail) from None
        version, rows = programme.model_version, programme.tracks
        shown.note_radio(user_id, programme.list_id, version, rows)
        answer = as_json(programme, asked.before, asked.has_rows)
        # rows are components, which only this encoder writes
        return Response(to_json_plotly(answer), media_type="application/json")

    router.add_api_route("/api/radio", endpoint(post_radio), methods=["POST"])
    return router


class Asked(NamedTuple):
    """What is asked for, and how it is to be shown.

    Attributes
    ----------
    before : list of str
        What was to come before; what has changed is told against it.
    has_rows : bool
        Whether the answer is to have the rows of a page.
    """

    wish: Wish
    before: list[str]
    has_rows: bool


def read_asked(body: bytes, now: datetime) -> Asked:
    """Read what is asked for.

    Raises
    ------
    InvalidEventError
        With a reason and a sentence, for anything else.

    Examples
    --------
    >>> asked = read_asked(b'{"seed":{"kind":"taste"},"familiar":-1}', datetime.now())
    >>> wish = asked.wish
    >>> wish.kind, wish.familiar, wish.variety, wish.n
    ('taste', -1.0, 0.1, 20)
    """
    fields = read_object(body)
    seed = required(fields, "seed", dict)
    kind = identifier(seed, "kind")
    n = number(fields, "n")
    if n is not None and not 1 <= n <= MOST_TRACKS:
        raise InvalidEventError("wrong_value", f"n is {n}, want 1 to {MOST_TRACKS}")
    heard = _names(fields, "heard", MOST_HEARD)
    wish = Wish(
        kind,
        "" if kind == TASTE else identifier(seed, "key"),
        _dial(fields, "familiar", -1.0, 0.0),
        _dial(fields, "variety", 0.0, 0.1),
        heard,
        _skips(fields, now),
        _N_TRACKS if n is None else n,
    )
    before = _names(fields, "before", MOST_TRACKS)
    left = [name for name in before if name not in heard]
    return Asked(wish, left, fields.get("rows") is True)


def as_json(
    programme: Programme, before: Sequence[str], has_rows: bool
) -> dict[str, Any]:
    """Return what comes next in plain JSON values and, where asked for, as rows.

    Parameters
    ----------
    before : sequence of str
        What was to come before something happened, without what was heard since.
    """
    as_of, now = programme.as_of, [e.track.track_id for e in programme.tracks]
    found = {
        "name": programme.name,
        "as_of": None if as_of is None else rfc3339(as_of),
        "list_id": programme.list_id,
        "items": [_item(each) for each in programme.tracks],
        "came": [name for name in now if before and name not in before],
        "left": [name for name in before if name not in now],
    }
    if not has_rows:
        return found
    drawn = ForYou("", programme.tracks, is_fallback=False, list_id="")
    return {**found, "rows": listed_rows(drawn, movements(before, now))}


def _item(each: ListedTrack) -> dict[str, Any]:
    card = each.track
    return {
        "track_id": card.track_id,
        "title": card.title,
        "artist": card.artist,
        "album": card.album,
        "artist_id": card.artist_id,
        "album_id": card.album_id,
        "duration_ms": card.duration_ms,
        "rank": each.rank,
        "score": each.score,
        "parts": dict(each.parts),
        "reason": text_of(each.reason),
    }


def _dial(fields: dict[str, Any], name: str, least: float, otherwise: float) -> float:
    value = fields.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidEventError(
            "wrong_type", f"{name} is {type(value).__name__}, want a number"
        )
    if not least <= value <= 1:
        raise InvalidEventError(
            "wrong_value", f"{name} is {value}, want {least:g} to 1"
        )
    return float(value)


def _list(fields: dict[str, Any], name: str, most: int) -> list[Any]:
    found = optional(fields, name, list) or []
    if len(found) > most:
        raise InvalidEventError(
            "too_long", f"{name} has {len(found)} entries, at most {most} are taken"
        )
    return found


def _names(fields: dict[str, Any], name: str, most: int) -> list[str]:
    return [identifier({name: each}, name) for each in _list(fields, name, most)]


def _skips(fields: dict[str, Any], now: datetime) -> list[Listen]:
    """Return what speaks against its track, weighed as the stream will weigh it."""
    since = now - timedelta(days=1)
    said = [_skip(each, now) for each in _list(fields, "skipped", MOST_SKIPPED)]
    return [each for each in said if each.weight < 0 and each.listened_at > since]


def _skip(value: Any, now: datetime) -> Listen:
    if not isinstance(value, dict):
        raise InvalidEventError(
            "wrong_type",
            f"skipped holds {type(value).__name__}, want objects with track_id and at",
        )
    action = value.get("action", Action.SKIPPED)
    if action not in _AGAINST:
        wanted = " or ".join(_AGAINST)
        raise InvalidEventError("wrong_value", f"action of a skip is not {wanted}")
    played_ms, duration_ms = number(value, "played_ms"), number(value, "duration_ms")
    weight = listen_weight(action, played_ms, duration_ms)
    at = moment("at", required(value, "at", str))
    # a clock that is ahead must not make a skip one that no taste ever holds
    return Listen(identifier(value, "track_id"), weight, min(at, now))

"""Why a track is in a list, in one line of plain words."""

from collections.abc import Mapping
from typing import Any, Final

from dashboard.records import TrackCard

_MAX_CAUSES: Final = 2
_AWAY_FROM: Final = 0.05
_SAID_BY_OTHERS: Final = 0.05


def reason(item: Mapping[str, Any], cards: Mapping[str, TrackCard]) -> str:
    """Return why `item` of a list is there.

    Parameters
    ----------
    item : mapping
        One of `items` of a document in `recommendations`.
    cards : mapping
        Tracks by id; causes that it lacks are left out.

    Examples
    --------
    >>> cards = {"t": TrackCard("t", "Tide", "Ina", "", "", None)}
    >>> again = {"track_id": "t", "share": 0.5}
    >>> reason({"because": [again, again]}, cards)
    'Because you played Tide'
    >>> reason({"parts": {"skips": 0.2}}, cards)
    'Away from what you skipped'
    >>> reason({"neighbour": "t", "parts": {"neighbours": 0.1}}, cards)
    'Listeners of Tide play it too'
    >>> near = {"neighbour": "t", "parts": {"neighbours": 0.1}, "because": [again]}
    >>> reason(near, cards)
    'Because you played Tide, whose listeners play it too'
    >>> reason({"follows": "t", "parts": {"followers": 0.1}}, cards)
    'Often played after Tide'
    >>> reason({"explored": True}, cards)
    'To try out'
    """
    titles = _titles(item, cards)
    said = ["to try out"] if item.get("explored") else []
    if titles:
        said.append(f"because you played {' and '.join(titles)}")
    near = _spoken_for("neighbours", "neighbour", item, cards)
    if near and titles == [near]:
        said.append("whose listeners play it too")
    elif near:
        said.append(f"listeners of {near} play it too")
    last = _spoken_for("followers", "follows", item, cards)
    if last:
        said.append(f"often played after {last}")
    if item.get("parts", {}).get("skips", 0.0) >= _AWAY_FROM:
        said.append("away from what you skipped")
    text = ", ".join(said) or "close to the present taste"
    return text[0].upper() + text[1:]


def _titles(item: Mapping[str, Any], cards: Mapping[str, TrackCard]) -> list[str]:
    causes = sorted(item.get("because", []), key=lambda cause: -cause["share"])
    # a track that was played twice, or liked as well, is one cause
    heard = dict.fromkeys(cause["track_id"] for cause in causes)
    titles = [cards[track_id].title for track_id in heard if track_id in cards]
    return titles[:_MAX_CAUSES]


def _spoken_for(
    part: str, by: str, item: Mapping[str, Any], cards: Mapping[str, TrackCard]
) -> str | None:
    """Return the title of what speaks for the row, where the part is large enough."""
    if item.get("parts", {}).get(part, 0.0) < _SAID_BY_OTHERS:
        return None
    card = cards.get(item.get(by) or "")
    return None if card is None else card.title

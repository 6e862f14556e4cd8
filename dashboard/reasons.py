"""Why a track is in a list, in one line of plain words."""

from collections.abc import Mapping
from typing import Any, Final

from dashboard.listeners import DEFAULT_LISTENER
from dashboard.records import TrackCard

_MAX_CAUSES: Final = 2
_AWAY_FROM: Final = 0.05
_PLAYED_TOGETHER: Final = 0.05


def reason(
    item: Mapping[str, Any], cards: Mapping[str, TrackCard], listener: str
) -> str:
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
    >>> reason({"because": [again, again]}, cards, "you")
    'Because you played Tide'
    >>> reason({"parts": {"skips": 0.2}}, cards, "ada")
    'Away from what ada skipped'
    >>> reason({"neighbour": "t", "parts": {"neighbours": 0.1}}, cards, "you")
    'Listeners of Tide play it too'
    >>> reason({"explored": True}, cards, "you")
    'To try out'
    """
    causes = sorted(item.get("because", []), key=lambda cause: -cause["share"])
    # a track that was played twice, or liked as well, is one cause
    heard = dict.fromkeys(cause["track_id"] for cause in causes)
    titles = [cards[track_id].title for track_id in heard if track_id in cards]
    is_away = item.get("parts", {}).get("skips", 0.0) >= _AWAY_FROM
    who = "you" if listener == DEFAULT_LISTENER else listener
    said = []
    if titles:
        said.append(f"because {who} played {' and '.join(titles[:_MAX_CAUSES])}")
    near = cards.get(item.get("neighbour") or "")
    by_others = item.get("parts", {}).get("neighbours", 0.0) >= _PLAYED_TOGETHER
    if near is not None and by_others:
        said.append(f"listeners of {near.title} play it too")
    last = cards.get(item.get("follows") or "")
    is_next = item.get("parts", {}).get("followers", 0.0) >= _PLAYED_TOGETHER
    if last is not None and is_next:
        said.append(f"often played after {last.title}")
    if is_away:
        said.append(f"away from what {who} skipped")
    if item.get("explored"):
        said.insert(0, "to try out")
    text = ", ".join(said) or "close to the present taste"
    return text[0].upper() + text[1:]

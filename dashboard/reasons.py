"""Why a track is in a list, in one sentence that says no more than its parts carry.

A part is named when it is large enough, a track when the list names it as a cause. A
moment in a sentence stays a moment: each browser writes it in its own time zone.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dashboard import dates
from dashboard.records import Cause, Sentence, TrackCard

SAYS: Final = 0.05
"""The least part of a score that is named."""
SPEAKS: Final = 0.1
"""The least share in what was heard of a track that is named as a cause."""
_MOST_CAUSES: Final = 2
_MOST_CLAUSES: Final = 3
_HORIZONS: Final = {
    "now": "close to what you play now",
    "today": "close to what you played today",
    "month": "close to what you play these weeks",
    "always": "close to what you have played over time",
}
_TASTE: Final = (*_HORIZONS, "seeds")
_LATELY: Final = ("now", "today")
_SPEAKERS: Final = ("seed", "neighbour", "follows")
_NOTHING: Final = "Nothing stands out: many small parts add up"
_UNKNOWN: Final = "Its reasons were not kept"

Item = Mapping[str, Any]
Cards = Mapping[str, TrackCard]
Heard = Mapping[str, datetime]
"""Tracks that were heard in the listener's last session, and when first."""


def reason(item: Item, cards: Cards, heard: Heard) -> Sentence:
    """Return why `item` of a list is there.

    Parameters
    ----------
    item : mapping
        One of `items` of a document in `recommendations`; or what a radio plays, whose
        `begins_at`, in the place of `seed`, is the nearest track of its station, which
        need not have been played.
    cards : mapping
        Tracks by id; those that it lacks are not named.

    Examples
    --------
    >>> def card(track_id, title):
    ...     return TrackCard(track_id, title, "Ina", "", "dub", None)
    >>> cards = {"a": card("a", "Tide"), "b": card("b", "Ebb"), "c": card("c", "Sea")}
    >>> at = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)
    >>> near = {"track_id": "c", "because": [{"track_id": "a", "share": 0.6}]}
    >>> near["parts"] = {"now": 0.7}
    >>> text_of(reason(near, cards, {}))
    'Close to Tide, which you played or liked'
    >>> text_of(reason(near, cards, {"a": at}))
    'Close to Tide, which you played at 21:40 UTC'
    >>> text_of(reason(near, cards, {"a": at, "b": at}))
    'Close to the 2 tracks by Ina you played since 21:40 UTC'
    >>> by_others = {"neighbour": "b", "parts": {"now": 0.7, "neighbours": 0.1}}
    >>> text_of(reason(near | by_others, cards, {}))
    'Close to Tide, which you played or liked; listeners of Ebb play it too'
    >>> text_of(reason({"parts": {"skips": 0.2}}, cards, {}))
    'Away from what you skipped'
    >>> text_of(reason({"parts": {"hub": 0.9}}, cards, {}))
    'Nothing stands out: many small parts add up'
    >>> played = {"begins_at": "a", "parts": {"seeds": 0.5, "now": 0.1, "today": 0.2}}
    >>> text_of(reason(played, cards, {}))
    'Sounds like Tide; close to what you played today'
    >>> text_of(reason(played | {"track_id": "a"}, cards, {}))
    'Where this radio begins; close to what you played today'
    """
    if not item.get("parts"):
        return (_UNKNOWN,)
    clauses = [_by_lot(item), _begins(item, cards), _close(item, cards, heard)]
    clauses += [say(item, cards) for say in _OTHERS]
    said = [clause for clause in clauses if clause][:_MOST_CLAUSES]
    return _joined(said) if said else (_NOTHING,)


def text_of(sentence: Sentence) -> str:
    """Return a sentence as plain text, its moments in UTC."""
    return "".join(
        f"{dates.time(each.astimezone(UTC))} UTC"
        if isinstance(each, datetime)
        else each
        for each in sentence
    )


def causes_of(item: Item, cards: Cards) -> list[Cause]:
    """Return the tracks that an item is there for, the strongest first, each once."""
    found = [
        Cause("heard", cards[each["track_id"]], each["share"], each.get("window_start"))
        for each in _distinct(item)
        if each["track_id"] in cards
    ]
    named = ((kind, item.get(kind) or "") for kind in _SPEAKERS)
    return found + [
        Cause(kind, cards[track_id]) for kind, track_id in named if track_id in cards
    ]


def _by_lot(item: Item) -> Sentence:
    return ("to try out: its place was given by lot",) if item.get("explored") else ()


def _begins(item: Item, cards: Cards) -> Sentence:
    card = _speaker(item, "seeds", "begins_at", cards)
    if card is None:
        return ()
    if card.track_id == item.get("track_id"):
        return ("where this radio begins",)
    return (f"sounds like {card.title}",)


def _close(item: Item, cards: Cards, heard: Heard) -> Sentence:
    """Return what of the taste it is close to."""
    parts = item["parts"]
    if sum(_part(parts, name) for name in _TASTE) < SAYS:
        return ()
    causes = [cards[track_id] for track_id in _named_causes(item, cards)]
    if not causes:
        name = max(_HORIZONS, key=lambda name: _part(parts, name))
        return (_HORIZONS[name],) if _part(parts, name) >= SAYS else ()
    return _close_to_kind(item, causes, cards, heard) or _close_to(causes, heard)


def _close_to_kind(
    item: Item, causes: list[TrackCard], cards: Cards, heard: Heard
) -> Sentence:
    """Return of what kind the causes and the track itself are, heard several times."""
    own = cards.get(_own(item))
    lately = sum(_part(item["parts"], name) for name in _LATELY)
    if own is None or lately < SAYS or any(c.track_id not in heard for c in causes):
        return ()
    for kind_of, words in _KINDS:
        kind = kind_of(own)
        if kind and all(kind_of(cause) == kind for cause in causes):
            same = [
                at for each, at in _heard_cards(cards, heard) if kind_of(each) == kind
            ]
            if len(same) > 1:
                return f"close to the {words(len(same), kind)} you played since ", min(
                    same
                )
    return ()


def _close_to(causes: list[TrackCard], heard: Heard) -> Sentence:
    words = f"close to {' and '.join(each.title for each in causes)}, which you played"
    moments = [heard[each.track_id] for each in causes if each.track_id in heard]
    if len(moments) < len(causes):
        return (f"{words} or liked",)
    return f"{words} {'at' if len(moments) == 1 else 'since'} ", min(moments)


def _neighbours(item: Item, cards: Cards) -> Sentence:
    card = _other(item, _speaker(item, "neighbours", "neighbour", cards))
    if card is not None:
        return (f"listeners of {card.title} play it too",)
    if _part(item["parts"], "collaborative") >= SAYS:
        return ("listeners with a taste like yours play it",)
    return ()


def _followers(item: Item, cards: Cards) -> Sentence:
    card = _other(item, _speaker(item, "followers", "follows", cards))
    return () if card is None else (f"often played after {card.title}",)


def _skips(item: Item, _cards: Cards) -> Sentence:
    is_away = _part(item["parts"], "skips") >= SAYS
    return ("away from what you skipped",) if is_away else ()


def _familiar(item: Item, _cards: Cards) -> Sentence:
    is_known = _part(item["parts"], "familiar") >= SAYS
    return ("you have played it before",) if is_known else ()


_OTHERS: Final[tuple[Callable[[Item, Cards], Sentence], ...]] = (
    _neighbours,
    _followers,
    _skips,
    _familiar,
)
_Kind = tuple[Callable[[TrackCard], str], Callable[[int, str], str]]
_KINDS: Final[tuple[_Kind, ...]] = (
    (lambda card: card.artist, lambda n, kind: f"{n} tracks by {kind}"),
    (lambda card: card.genre, lambda n, kind: f"{n} {kind} tracks"),
)


def _heard_cards(cards: Cards, heard: Heard) -> Iterable[tuple[TrackCard, datetime]]:
    return ((cards[name], at) for name, at in heard.items() if name in cards)


def _speaker(item: Item, part: str, by: str, cards: Cards) -> TrackCard | None:
    """Return what speaks for the row, where the part is large enough."""
    is_said = _part(item["parts"], part) >= SAYS
    return cards.get(item.get(by) or "") if is_said else None


def _other(item: Item, card: TrackCard | None) -> TrackCard | None:
    """Return a track that speaks for the row, unless it is the row's own."""
    return None if card is None or card.track_id == _own(item) else card


def _part(parts: Mapping[str, float], name: str) -> float:
    return parts.get(name, 0.0)


def _named_causes(item: Item, cards: Cards) -> list[str]:
    """Return the tracks that it is close to; a track is no reason for itself."""
    others = [cause for cause in _distinct(item) if cause["track_id"] != _own(item)]
    causes = [each["track_id"] for each in others if each["share"] >= SPEAKS]
    named = [track_id for track_id in causes if track_id in cards][:_MOST_CAUSES]
    if named or _part(item["parts"], "seeds") < SAYS:
        return named
    seed = item.get("seed") or ""
    return [seed] if seed in cards and seed != _own(item) else []


def _own(item: Item) -> str:
    return str(item.get("track_id", ""))


def _distinct(item: Item) -> list[Mapping[str, Any]]:
    """Return the causes, the strongest first, each track once."""
    found: dict[str, Mapping[str, Any]] = {}
    for cause in sorted(item.get("because", []), key=lambda cause: -cause["share"]):
        # a track that was played twice, or liked as well, is one cause
        known = found.get(cause["track_id"])
        whole = cause["share"] + (known["share"] if known else 0.0)
        found[cause["track_id"]] = {**(known or cause), "share": whole}
    return list(found.values())


def _joined(clauses: list[Sentence]) -> Sentence:
    words: list[str | datetime] = []
    for clause in clauses:
        words += [*(["; "] if words else []), *clause]
    first = str(words[0])
    return (first[0].upper() + first[1:], *words[1:])

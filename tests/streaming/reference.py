"""Taste and list by hand: plain loops and NumPy, straight from `docs/architecture.md`.

Written against the description, not against the code, and slow on purpose.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from zlib import crc32

import numpy as np

from segue.events import Action, PlaybackEvent
from segue.settings import TasteSettings
from segue.track_index import TrackIndex

_ENDS = (Action.COMPLETED, Action.SKIPPED)
_PLAYS = (Action.STARTED, Action.PROGRESSED, *_ENDS)
_REACTIONS = (Action.LIKED, Action.UNLIKED, Action.DISLIKED)


def weight_of(event: PlaybackEvent) -> float:
    plain = {"completed": 1.0, "liked": 2.0, "disliked": -2.0}
    if event.action in plain:
        return plain[event.action]
    if event.action not in ("skipped", "progressed"):
        return 0.0
    assert event.played_ms is not None
    assert event.duration_ms
    half_ms = min(event.duration_ms / 2, 240_000)
    graded = min(1.0, event.played_ms / half_ms - 1)
    return graded if event.action == "skipped" else max(0.0, graded)


def spoken(events: list[PlaybackEvent]) -> tuple[list[Any], list[Any]]:
    """Return the last words of plays and of reactions: (time, track, weight)."""
    plays: dict[str, PlaybackEvent] = {}
    reactions: dict[str, PlaybackEvent] = {}
    for event in events:
        if event.action in _PLAYS:
            before = plays.get(event.play_id)
            if before is None or not (
                before.action in _ENDS and event.action not in _ENDS
            ):
                plays[event.play_id] = event
        if event.action in _REACTIONS:
            reactions[event.track_id] = event

    def told(words: dict[str, PlaybackEvent]) -> list[Any]:
        return [(e.event_time, e.track_id, weight_of(e)) for e in words.values()]

    return [x for x in told(plays) if x[2] != 0], told(reactions)


def side(pairs: list[tuple[str, float]], index: TrackIndex) -> tuple[Any, float]:
    """Return the weighted mean of tracks' vectors, and the sum of the weights."""
    total, mean = 0.0, np.zeros(index.vectors.shape[1])
    for track_id, weight in pairs:
        if track_id in index.row_of and weight > 0:
            total += weight
            mean = mean + weight * index.vectors[index.row_of[track_id]].astype(float)
    return (mean / total if total else mean), total


def both(pairs: list[tuple[str, float]], index: TrackIndex) -> dict[str, Any]:
    vector, weight = side(pairs, index)
    negative_vector, negative_weight = side([(t, -w) for t, w in pairs], index)
    return {
        "vector": vector,
        "weight": weight,
        "negative_vector": negative_vector,
        "negative_weight": negative_weight,
    }


def horizons_of(
    arrived: Sequence[PlaybackEvent], index: TrackIndex, settings: TasteSettings
) -> dict[str, dict[str, Any]]:
    first: dict[str, PlaybackEvent] = {}
    for event in sorted(arrived, key=lambda e: (e.event_time, e.event_id)):
        first.setdefault(event.event_id, event)
    events = list(first.values())
    pairs = last_day(events, index, settings) | by_days(events, settings)
    return {name: both(each, index) for name, each in pairs.items()}


Pairs = list[tuple[str, float]]


def last_day(
    events: list[PlaybackEvent], index: TrackIndex, settings: TasteSettings
) -> dict[str, Pairs]:
    now = events[-1].event_time
    since = now - timedelta(seconds=settings.horizon_s)
    plays, reactions = spoken([e for e in events if e.event_time > since])
    listens = sorted(x for x in [*plays, *reactions] if x[2] != 0)
    listens = [x for x in listens if x[1] in index.row_of]
    in_now, in_today = [], []
    for place, (at, track_id, weight) in enumerate(listens):
        age_s = (now - at).total_seconds()
        if weight < 0:
            age_s *= settings.half_life_s / settings.negative_half_life_s
        later = sum(max(0.0, x[2]) for x in listens[place + 1 :])
        kept = 0.5 ** (age_s / settings.half_life_s)
        kept *= 0.5 ** (later / settings.now_half_life_listens)
        in_now.append((track_id, weight * kept))
        kept = 0.5 ** (age_s / settings.today_half_life_s)
        in_today.append((track_id, weight * kept))
    return {"now": in_now, "today": in_today}


def by_days(events: list[PlaybackEvent], settings: TasteSettings) -> dict[str, Pairs]:
    today = events[-1].event_time.date()
    days = defaultdict(list)
    for event in events:
        days[event.event_time.date()].append(event)
    said = []
    last: dict[str, tuple[Any, str, float]] = {}
    for day in sorted(days):
        plays, reactions = spoken(days[day])
        said += [(day, track_id, weight) for _, track_id, weight in plays]
        last |= {track_id: (day, track_id, w) for _, track_id, w in sorted(reactions)}
    said += last.values()
    month_d, always_d = settings.month_half_life_d, settings.always_half_life_d
    recent = [x for x in said if (today - x[0]).days < settings.month_d]

    def kept(day: Any, weight: float, half_life_d: float) -> float:
        age_d = (today - day).days
        if weight < 0:
            age_d *= settings.half_life_s / settings.negative_half_life_s
        return float(weight * 0.5 ** (age_d / half_life_d))

    return {
        "month": [(t, kept(day, weight, month_d)) for day, t, weight in recent],
        "always": [(t, kept(day, weight, always_d)) for day, t, weight in said],
    }


def scores_of(
    horizons: dict[str, dict[str, Any]],
    seeds: list[str],
    index: TrackIndex,
    settings: TasteSettings,
) -> Any:
    """Return the score of every track, before likeness to others costs something."""
    shares = {
        "now": 1.0,
        "today": settings.today_share,
        "month": settings.month_share,
        "always": settings.always_share,
    }
    point = np.zeros(index.vectors.shape[1])
    for name, share in shares.items():
        each = horizons[name]
        pull = each["weight"] / (each["weight"] + 1)
        against = each["negative_weight"] / (each["negative_weight"] + 1)
        point = point + share * pull * each["vector"]
        against *= settings.negative_pull
        point = point - share * against * each["negative_vector"]
    point = point / np.linalg.norm(point)
    scores = []
    for row in range(len(index.track_ids)):
        vector = index.vectors[row].astype(float)
        near = float(vector @ point)
        if seeds:
            votes = [float(vector @ index.vectors[index.row_of[s]]) for s in seeds]
            near = (1 - settings.seed_share) * near + settings.seed_share * max(votes)
        scores.append(1 - (1 - near) / float(index.scales[row]))
    return np.array(scores)


def list_of(
    scores: Any,
    out: set[str],
    index: TrackIndex,
    settings: TasteSettings,
    seed: int,
) -> Any:
    """Return the list of a catalogue in which every track stands alone.

    Rows are (id, score, propensity).
    """
    best_first = np.argsort(-scores, kind="stable")
    left = [index.track_ids[row] for row in best_first]
    left = [t for t in left if t not in out][: 4 * settings.n_recommendations + 16]
    chosen: list[tuple[str, float, float]] = []
    share = settings.explored_share
    while left and len(chosen) < settings.n_recommendations:

        def value(track_id: str) -> float:
            row = index.row_of[track_id]
            mine = index.vectors[row].astype(float)
            above = [index.vectors[index.row_of[t]] for t, *_ in chosen]
            likeness = [float(mine @ each) for each in above]
            return float(scores[row]) - settings.variety * max([0.0, *likeness])

        best = taken = max(left, key=value)
        if hashed(hashed(seed) + len(chosen)) / 2**64 < share:
            taken = min(left, key=lambda t: hashed((seed + crc32(t.encode())) % 2**64))
        likely = share / len(left) + (1 - share if taken == best else 0)
        chosen.append((taken, value(taken), likely))
        left.remove(taken)
    return chosen


def seed_of(user_id: str, arrived: Sequence[PlaybackEvent]) -> int:
    """Return where the lots of a listener begin."""
    events = sorted(arrived, key=lambda e: (e.event_time, e.event_id))
    acts = [event for event in events if event.action != Action.PROGRESSED]
    text = f"{user_id}\n{(acts or events)[-1].event_id}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def hashed(number: int) -> int:
    """Return a step of SplitMix64, of 64 bits."""
    most = 2**64
    step = 0x9E3779B97F4A7C15
    mixed = (number * step + step) % most
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 % most
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % most
    return mixed ^ mixed >> 31

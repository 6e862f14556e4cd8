"""Horizons of a taste: now, today, month and always.

`now` and `today` are made play by play of the last day's entries; in `now` a listen
fades by the time that has passed and by what was heard since, so that it turns within
a few plays. `month` and `always` add today to the days that are over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.days import (
    DayTaste,
    PastTaste,
    Reaction,
    Weights,
    day_taste,
    weighted_taste,
)
from models.listens import (
    Block,
    Entry,
    Listen,
    faded,
    faded_by_listens,
    last_words,
)
from models.taste import EVIDENCE_HALF, Taste, taste_of, together
from segue.settings import TasteSettings
from segue.track_index import TrackIndex


class Horizon(StrEnum):
    """How far back a taste reaches."""

    NOW = "now"
    TODAY = "today"
    MONTH = "month"
    ALWAYS = "always"


@dataclass(frozen=True)
class Horizons:
    """A listener's tastes as of their newest event.

    Attributes
    ----------
    tastes : dict
        By horizon.
    n_listens : dict
        How many listens are behind each.
    evidence : list of Listen
        What speaks for the list and against, with its weight there; it explains it.
    reactions : dict
        The weight of the last reaction to each track, ever.
    """

    tastes: Mapping[Horizon, Taste]
    n_listens: Mapping[Horizon, int]
    evidence: list[Listen]
    reactions: Mapping[str, float]
    blocks: tuple[Block, ...]


def merge_horizons(
    recent: Sequence[Entry],
    past: PastTaste,
    as_of: datetime,
    settings: TasteSettings,
    index: TrackIndex,
) -> Horizons:
    """Merge the last day's entries and the days that are over.

    Parameters
    ----------
    recent : sequence of Entry
        All entries within `settings.horizon_s` before `as_of` and all of its date.
    past : PastTaste
        Of the days before the date of `as_of`.
    """
    since, today = as_of - timedelta(seconds=settings.horizon_s), as_of.date()
    listens = last_words(e for e in recent if e.event_time > since).listens
    now, hours = _short(listens, as_of, settings)
    day = day_taste(e for e in recent if e.event_time.date() == today)
    reactions = {each.track_id: each for each in past.reactions} | {
        name: Reaction(name, weight, today) for name, weight in day.reactions.items()
    }
    month, always = _long(past, day, reactions.values(), today, settings, index)
    tastes = {
        Horizon.NOW: taste_of(now, index.row_of, index.vectors),
        Horizon.TODAY: taste_of(hours, index.row_of, index.vectors),
        Horizon.MONTH: month,
        Horizon.ALWAYS: always,
    }
    numbers = [len(listens)] * 2 + [
        n + day.n_listens for n in (past.n_month, past.n_always)
    ]
    return Horizons(
        tastes,
        dict(zip(Horizon, numbers, strict=True)),
        _evidence(now, hours, past, tastes, settings),
        {name: each.weight for name, each in reactions.items()},
        (*past.blocks, *day.blocks),
    )


def shares(settings: TasteSettings) -> dict[Horizon, float]:
    """Return the weight of each horizon in a list."""
    return {
        Horizon.NOW: 1.0,
        Horizon.TODAY: settings.today_share,
        Horizon.MONTH: settings.month_share,
        Horizon.ALWAYS: settings.always_share,
    }


def direction_of(
    tastes: Mapping[Horizon, Taste], settings: TasteSettings
) -> NDArray[np.float64]:
    """Return the parts whose sum is the unit taste vector.

    With each horizon's share, the part of a side is its mean times its pull; what was
    skipped counts `negative_pull` of that, against.

    Returns
    -------
    ndarray, float64, shape (5, n_dims)
        The four horizons' positive sides and, last, all that was skipped; zero when
        there is no taste, or when the sides cancel out.
    """
    share_of = shares(settings)
    towards = [
        tastes[each].positive.mean * tastes[each].positive.pull * share_of[each]
        for each in Horizon
    ]
    away = sum(
        tastes[each].negative.mean * tastes[each].negative.pull * share_of[each]
        for each in Horizon
    )
    parts = np.stack([*towards, -settings.negative_pull * away])
    length = float(np.linalg.norm(parts.sum(axis=0)))
    if length < np.finfo(np.float32).eps:
        return np.zeros_like(parts)
    return parts / length


def _short(
    listens: list[Listen], as_of: datetime, settings: TasteSettings
) -> tuple[list[Listen], list[Listen]]:
    """Return the listens as they count in `now` and in `today`."""
    by_time = faded(listens, as_of, settings.half_life_s, settings.negative_half_life_s)
    now = faded_by_listens(by_time, listens, settings.now_half_life_listens)
    half_life_s = settings.today_half_life_s
    faster = settings.negative_half_life_s / settings.half_life_s
    return now, faded(listens, as_of, half_life_s, half_life_s * faster)


def _long(
    past: PastTaste,
    day: DayTaste,
    reactions: Iterable[Reaction],
    today: date,
    settings: TasteSettings,
    index: TrackIndex,
) -> tuple[Taste, Taste]:
    """Return `month` and `always`."""
    held, plays = list(reactions), weighted_taste(day.plays, index)
    recent = [each for each in held if (today - each.day).days < settings.month_d]
    faster = settings.negative_half_life_s / settings.half_life_s

    def with_reactions(taste: Taste, said: list[Reaction], half_life_d: float) -> Taste:
        weights = {
            each.track_id: _faded_reaction(each, today, half_life_d, faster)
            for each in said
        }
        return together([taste, plays, weighted_taste(weights, index)])

    return (
        with_reactions(past.month, recent, settings.month_half_life_d),
        with_reactions(past.always, held, settings.always_half_life_d),
    )


def _faded_reaction(
    reaction: Reaction, today: date, half_life_d: float, faster: float
) -> Weights:
    half_life_d *= 1.0 if reaction.weight > 0 else faster
    weight = reaction.weight * 0.5 ** ((today - reaction.day).days / half_life_d)
    return Weights(max(weight, 0.0), max(-weight, 0.0))


def _evidence(
    now: list[Listen],
    hours: list[Listen],
    past: PastTaste,
    tastes: Mapping[Horizon, Taste],
    settings: TasteSettings,
) -> list[Listen]:
    """Return the listens with the share that each has in the taste vector."""
    per_weight = {
        each: share / (tastes[each].positive.weight + EVIDENCE_HALF)
        for each, share in shares(settings).items()
    }
    at_now, at_today = per_weight[Horizon.NOW], per_weight[Horizon.TODAY]
    recent = [
        one._replace(weight=at_now * one.weight + at_today * other.weight)
        for one, other in zip(now, hours, strict=True)
    ]
    before = [
        Listen(
            each.track_id, per_weight[Horizon.ALWAYS] * each.weight, _start(each.day)
        )
        for each in past.familiar
    ]
    return [*before, *recent]


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

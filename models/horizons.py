"""Horizons of a taste: now, today, month and always.

`now` and `today` are made play by play of the last day's entries; in `now` a listen
fades by the time that has passed and by what was heard since, so that it turns within
a few plays. `month` and `always` add today to the days that are over.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.days import Familiar, PastTaste, Reaction, Weights, weighted_taste
from models.evidence import Evidence, evidence_of, joined, weights_now_and_today
from models.followers import last_of_session
from models.listens import Block, Entry, Listen, Words, words_of
from models.taste import EVIDENCE_HALF, Taste, taste_from, together
from segue.settings import TasteSettings
from segue.track_index import TrackIndex

_TIME: Final = attrgetter("event_time")


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
    evidence : Evidence
        What speaks for the list and against, with its weight there; it explains it.
    reactions : dict
        The weight of the last reaction to each track, ever.
    session : list of str
        What was heard last in the session that lasts; see `models.followers`.
    """

    tastes: Mapping[Horizon, Taste]
    n_listens: Mapping[Horizon, int]
    evidence: Evidence
    reactions: Mapping[str, float]
    blocks: tuple[Block, ...]
    session: Sequence[str] = ()


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
        Distinct, by time: all within `settings.horizon_s` before `as_of` and all of its
        date.
    past : PastTaste
        Of the days before the date of `as_of`.
    """
    midnight = datetime.combine(as_of.date(), time(), UTC)
    since = as_of - timedelta(seconds=settings.horizon_s)
    first = bisect_right(recent, since, key=_TIME)
    first_today = bisect_left(recent, midnight, key=_TIME)
    within = words_of(recent[first:])
    today = within if first_today == first else words_of(recent[first_today:])
    listens = evidence_of(within.listens, index)
    now, hours = weights_now_and_today(listens, as_of, settings)
    reactions = _reactions(past, today, as_of.date())
    month, always = _long(
        past, today, reactions.values(), as_of.date(), settings, index
    )
    tastes = {
        Horizon.NOW: _taste(now, listens),
        Horizon.TODAY: _taste(hours, listens),
        Horizon.MONTH: month,
        Horizon.ALWAYS: always,
    }
    n_short, n_today = len(listens.track_ids), len(today.listens)
    numbers = (n_short, n_short, past.n_month + n_today, past.n_always + n_today)
    return Horizons(
        tastes,
        dict(zip(Horizon, numbers, strict=True)),
        evidence_behind(listens, (now, hours), past.familiar, tastes, settings, index),
        {name: each.weight for name, each in reactions.items()},
        (*past.blocks, *today.blocks),
        _session(within, as_of),
    )


def _session(words: Words, as_of: datetime) -> list[str]:
    heard = (
        (play.listened_at.timestamp(), play.track_id)
        for play in reversed(words.plays)
        if play.weight > 0
    )
    return last_of_session(heard, as_of.timestamp())


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
    pulls = np.array(
        [
            (tastes[each].positive.pull * share, tastes[each].negative.pull * share)
            for each, share in share_of.items()
        ]
    )
    towards = pulls[:, :1] * np.stack([tastes[each].positive.mean for each in share_of])
    away = pulls[:, 1] @ np.stack([tastes[each].negative.mean for each in share_of])
    parts = np.vstack([towards, -settings.negative_pull * away])
    length = float(np.linalg.norm(parts.sum(axis=0)))
    if length < np.finfo(np.float32).eps:
        return np.zeros_like(parts)
    return np.asarray(parts / length)


def _taste(weights: NDArray[np.float64], listens: Evidence) -> Taste:
    heard, skipped = np.maximum(weights, 0.0), np.maximum(-weights, 0.0)
    return taste_from(heard, skipped, listens.vectors)


def _reactions(past: PastTaste, today: Words, date_: date) -> dict[str, Reaction]:
    reactions = {each.track_id: each for each in past.reactions}
    for each in today.reactions:
        reactions[each.track_id] = Reaction(each.track_id, each.weight, date_)
    return reactions


def _long(
    past: PastTaste,
    today: Words,
    reactions: Iterable[Reaction],
    date_: date,
    settings: TasteSettings,
    index: TrackIndex,
) -> tuple[Taste, Taste]:
    """Return `month` and `always`."""
    plays = evidence_of(today.plays, index)
    day, held = _taste(plays.weights, plays), list(reactions)
    recent = [each for each in held if (date_ - each.day).days < settings.month_d]
    faster = settings.negative_half_life_s / settings.half_life_s

    def merged(taste: Taste, said: list[Reaction], half_life_d: float) -> Taste:
        if not said:
            return together([taste, day])
        weights = {
            each.track_id: _faded_reaction(each, date_, half_life_d, faster)
            for each in said
        }
        return together([taste, day, weighted_taste(weights, index)])

    return (
        merged(past.month, recent, settings.month_half_life_d),
        merged(past.always, held, settings.always_half_life_d),
    )


def _faded_reaction(
    reaction: Reaction, today: date, half_life_d: float, faster: float
) -> Weights:
    half_life_d *= 1.0 if reaction.weight > 0 else faster
    weight = reaction.weight * 0.5 ** ((today - reaction.day).days / half_life_d)
    return Weights(max(weight, 0.0), max(-weight, 0.0))


def evidence_behind(
    listens: Evidence,
    faded: tuple[NDArray[np.float64], NDArray[np.float64]],
    familiar: Sequence[Familiar],
    tastes: Mapping[Horizon, Taste],
    settings: TasteSettings,
    index: TrackIndex,
) -> Evidence:
    """Return the listens with the share that each has in the taste vector.

    Parameters
    ----------
    faded : tuple of ndarray
        What `listens` say in `now` and in `today`.
    familiar : sequence of Familiar
        What was heard most in the days before.
    """
    per_weight = {
        each: share / (tastes[each].positive.weight + EVIDENCE_HALF)
        for each, share in shares(settings).items()
    }
    now, hours = faded
    recent = listens.weighing(
        per_weight[Horizon.NOW] * now + per_weight[Horizon.TODAY] * hours
    )
    if not familiar:
        return recent
    before = [
        Listen(
            each.track_id, per_weight[Horizon.ALWAYS] * each.weight, _start(each.day)
        )
        for each in familiar
    ]
    return joined(evidence_of(before, index), recent)


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

"""Days that are over: what each says, and what they say together today.

A day counts as a whole: one sum of weights a track, which fades by the day's age. So
years of listening need no single plays. Weights come first, vectors last: the sums are
over tracks, and one product turns them into a taste.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from models.listens import Block, Entry, last_words
from models.taste import Taste, no_taste, taste_from
from segue.settings import TasteSettings
from segue.track_index import TrackIndex

_N_FAMILIAR: Final = 200


class Weights(NamedTuple):
    """What speaks for a track and what against it, both 0 or more."""

    positive: float
    negative: float


_NOTHING: Final = Weights(0.0, 0.0)


@dataclass(frozen=True)
class DayTaste:
    """What one listener did on one date (UTC); nothing has faded.

    Attributes
    ----------
    plays : dict
        Weights of each track's plays.
    reactions : dict
        The weight of the last reaction to each track; 0 where it was taken back.
    blocks : tuple of Block
        By time.
    """

    plays: Mapping[str, Weights]
    reactions: Mapping[str, float]
    blocks: tuple[Block, ...]
    n_listens: int


class Reaction(NamedTuple):
    """The last reaction to a track, and its date."""

    track_id: str
    weight: float
    day: date


class Familiar(NamedTuple):
    """A track that was heard before today: its weight in `always`, and when last."""

    track_id: str
    weight: float
    day: date


@dataclass(frozen=True)
class PastTaste:
    """What a listener's days before today say, faded to today.

    Attributes
    ----------
    month, always : Taste
        Of plays alone.
    reactions : tuple of Reaction
        Of all days, by track, those of weight 0 too; not in the two above.
    blocks : tuple of Block
        By time.
    familiar : tuple of Familiar
        The tracks of most weight in `always`, heaviest first.
    n_month, n_always : int
        Listens.
    n_unknown : int
        Tracks without a vector; they count when they have one.
    """

    month: Taste
    always: Taste
    reactions: tuple[Reaction, ...] = ()
    blocks: tuple[Block, ...] = ()
    familiar: tuple[Familiar, ...] = ()
    n_month: int = 0
    n_always: int = 0
    n_unknown: int = 0


def no_past(n_dims: int) -> PastTaste:
    """Return the past of a new listener."""
    return PastTaste(no_taste(n_dims), no_taste(n_dims))


def day_taste(entries: Iterable[Entry]) -> DayTaste:
    """Return what the entries of one date say; order and copies change nothing."""
    words = last_words(entries)
    positive: dict[str, float] = defaultdict(float)
    negative: dict[str, float] = defaultdict(float)
    for track_id, weight, _ in words.plays:
        side = positive if weight > 0 else negative
        side[track_id] += abs(weight)
    plays = {
        track_id: Weights(positive.get(track_id, 0.0), negative.get(track_id, 0.0))
        for track_id in sorted({*positive, *negative})
    }
    reactions = {each.track_id: each.weight for each in words.reactions}
    return DayTaste(plays, reactions, words.blocks, len(words.listens))


def past_taste(
    days: Mapping[date, DayTaste],
    today: date,
    settings: TasteSettings,
    index: TrackIndex,
    aliases: Mapping[str, str] | None = None,
) -> PastTaste:
    """Merge the days before `today`.

    Parameters
    ----------
    aliases : mapping, optional
        The track of each name that the catalogue knows by now.
    """
    known_as = aliases or {}
    before = [(day, days[day]) for day in sorted(days) if day < today]
    recent = [(day, x) for day, x in before if (today - day).days < settings.month_d]
    reactions: dict[str, Reaction] = {}
    last_day: dict[str, date] = {}
    for day, each in before:
        for track_id, weight in each.reactions.items():
            name = known_as.get(track_id, track_id)
            reactions[name] = Reaction(name, weight, day)
        last_day |= {known_as.get(track_id, track_id): day for track_id in each.plays}
    faster = settings.negative_half_life_s / settings.half_life_s
    month_d, always_d = settings.month_half_life_d, settings.always_half_life_d
    month = _summed(recent, today, month_d, month_d * faster, known_as)
    always = _summed(before, today, always_d, always_d * faster, known_as)
    return PastTaste(
        month=weighted_taste(month, index),
        always=weighted_taste(always, index),
        reactions=tuple(reactions[name] for name in sorted(reactions)),
        blocks=tuple(block for _, each in before for block in each.blocks),
        familiar=_familiar(always, last_day, index),
        n_month=sum(each.n_listens for _, each in recent),
        n_always=sum(each.n_listens for _, each in before),
        n_unknown=sum(name not in index.row_of for name in {*always, *reactions}),
    )


def weighted_taste(weights: Mapping[str, Weights], index: TrackIndex) -> Taste:
    """Return the taste of tracks that each speak for and against by so much."""
    names = [name for name in weights if name in index.row_of]
    if not names:
        return no_taste(index.vectors.shape[1])
    rows = index.vectors[[index.row_of[name] for name in names]].astype(np.float64)
    sums = np.array([weights[name] for name in names])
    return taste_from(sums[:, 0], sums[:, 1], rows)


def _summed(
    days: Sequence[tuple[date, DayTaste]],
    today: date,
    half_life_d: float,
    negative_half_life_d: float,
    aliases: Mapping[str, str],
) -> dict[str, Weights]:
    """Return the weights of each track over all days, each faded by its age."""
    total: dict[str, Weights] = {}
    for day, each in days:
        age_d = (today - day).days
        keep = 0.5 ** (age_d / half_life_d)
        keep_negative = 0.5 ** (age_d / negative_half_life_d)
        for track_id, (positive, negative) in each.plays.items():
            name = aliases.get(track_id, track_id)
            before = total.get(name, _NOTHING)
            total[name] = Weights(
                before.positive + keep * positive,
                before.negative + keep_negative * negative,
            )
    return total


def _familiar(
    weights: Mapping[str, Weights], last_day: Mapping[str, date], index: TrackIndex
) -> tuple[Familiar, ...]:
    heard = [
        Familiar(name, weight.positive, last_day[name])
        for name, weight in weights.items()
        if weight.positive > 0 and name in index.row_of
    ]
    return tuple(sorted(heard, key=lambda x: (-x.weight, x.track_id))[:_N_FAMILIAR])

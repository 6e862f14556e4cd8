"""How tastes move over the map: who may see what of it, and in which words."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from dashboard.access import check_role, who_asks
from dashboard.analytics.answers import Answers
from dashboard.analytics.map_choice import GROUPS, LISTENERS, layer_of
from dashboard.analytics.map_movement import (
    STEP,
    Moving,
    dates_of,
    groups_moving,
    listeners_moving,
)
from dashboard.analytics.movements import LONGEST, MOST_LISTENERS
from dashboard.analytics.questions import Question
from dashboard.analytics.tables import Table
from dashboard.refusals import RefusedError
from segue.roles import Role
from segue.small_groups import LEAST

_SAMPLE: Final = (
    f"Of at most {MOST_LISTENERS} listeners, always the same, and the last "
    f"{LONGEST.days} days; today comes in when it is over."
)
_WORDS: Final = {
    GROUPS: f"Each ring is a group: the {LEAST} listeners or more whose plays on a "
    "date are most of one cluster; on another date it may be others. It lies near the "
    f"mean of their places, on a grid of {STEP}, and stays where it was on dates of "
    "which it would tell of fewer people.",
    LISTENERS: "Each ring is one listener, without a name: the mean of what they "
    "played on a date. Without a play it stays where it was.",
}


@dataclass(frozen=True, slots=True)
class Moves:
    """What moves, on which dates, and what is said of it."""

    moving: Sequence[Moving]
    dates: Sequence[date]
    words: str


async def moves_of(answers: Answers, question: Question, now: datetime) -> Moves:
    """Return how tastes moved in the time that is asked for.

    Raises
    ------
    RefusedError
        Where single listeners are asked for by somebody who is no admin.
    """
    who = question.get("of") or GROUPS
    if who not in _WORDS:
        detail = f"There is no such movement; there are {', '.join(_WORDS)}."
        raise RefusedError(400, "wrong_movement", detail)
    check_role(who_asks(), Role.ADMIN if who == LISTENERS else Role.ANALYST)
    points = await answers.maps.read()
    places = points.placed.places[layer_of(question, points)]
    days = await answers.movements.read(points.placed, now)
    if who == LISTENERS:
        moving = await asyncio.to_thread(listeners_moving, days, places)
    else:
        names = points.clusters.names
        moving = await asyncio.to_thread(
            groups_moving, days, places, points.placed, names
        )
    time = await answers.spans.range_of(question.wish, now)
    first = now - LONGEST if time is None else time.start
    dates = dates_of(moving, first.date(), question.wish.last_date)
    shown = [each for each in moving if not each.places.keys().isdisjoint(dates)]
    words = _WORDS[who] if dates else _silence(who)
    return Moves(shown, dates, f"{words} {_SAMPLE}")


async def file(answers: Answers, question: Question, now: datetime) -> Table:
    """Return where each was on each date as a table for a file."""
    moves = await moves_of(answers, question, now)
    rows = [
        (
            at,
            each.name,
            each.n_heard[at],
            *each.places[at],
        )
        for each in moves.moving
        for at in moves.dates
        if at in each.places
    ]
    names = ("date", "who", "n_heard", "across", "up")
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return {name: list(each) for name, each in zip(names, columns, strict=True)}


def _silence(who: str) -> str:
    if who == LISTENERS:
        return "In this time no listener has a day of which tracks lie on the map."
    return (
        f"In this time there is no date on which {LEAST} listeners or more were a "
        "group that tells nothing of fewer others."
    )

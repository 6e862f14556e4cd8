"""Files of the page of listeners: what it shows, and more of it."""

from datetime import datetime, timedelta

from dashboard.analytics import population
from dashboard.analytics.answers import Answers
from dashboard.analytics.heat import WEEKDAYS
from dashboard.analytics.listeners import read_heat
from dashboard.analytics.questions import Question
from dashboard.analytics.tables import Table
from segue.population import LENGTHS_MIN


async def sessions(answers: Answers, question: Question, now: datetime) -> Table:
    """Return sessions by date, and of each date by length."""
    days = await population.read_sessions(answers.database, question.wish)
    names = ("day", "n_sessions", "n_listeners", "n_plays", "heard_ms", "length_ms")
    told = {name: [getattr(day, name) for day in days] for name in names}
    lows = (0, *LENGTHS_MIN)
    return told | {
        f"n_from_{low}_min": [day.lengths[place] for day in days]
        for place, low in enumerate(lows)
    }


async def retention(answers: Answers, question: Question, now: datetime) -> Table:
    """Return a row a first week and week since; without a number where few are told."""
    cohorts = await population.read_cohorts(answers.database, question.wish)
    rows = [
        (
            cohort.first_week,
            cohort.first_week + timedelta(weeks=since),
            since,
            cohort.n_listeners,
            n,
        )
        for cohort in cohorts
        for since, n in enumerate(cohort.played)
    ]
    names = ("first_week", "week", "weeks_since", "n_listeners", "n_played")
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


async def clusters(answers: Answers, question: Question, now: datetime) -> Table:
    """Return a row a cluster and week since the first play, 0 at least."""
    found = await population.read_clusters(answers.database)
    rows = [
        (each, since, share)
        for each in found
        for since, share in enumerate(each.retained or [None])
    ]
    names = ("number", "n_listeners", "n_plays", "n_skipped")
    told = {name: [getattr(each, name) for each, _, _ in rows] for name in names}
    return {
        **told,
        "styles": [" ".join(each.genre_ids) for each, _, _ in rows],
        "tracks": [" ".join(each.track_ids) for each, _, _ in rows],
        "weeks_since": [since for _, since, _ in rows],
        "share_played": [share for _, _, share in rows],
    }


async def heatmap(answers: Answers, question: Question, now: datetime) -> Table:
    """Return a row a weekday and hour."""
    heat = await read_heat(answers, question, now)
    rows = [
        (WEEKDAYS[day], hour, n_plays, people)
        for day, (plays, listeners) in enumerate(
            zip(heat.plays, heat.listeners, strict=True)
        )
        for hour, (n_plays, people) in enumerate(zip(plays, listeners, strict=True))
    ]
    names = ("weekday", "hour", "n_plays", "n_listeners")
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}

"""Files of the page of listeners: what it shows, and more of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from dashboard.analytics import population
from dashboard.analytics.answers import Answers
from dashboard.analytics.heat import WEEKDAYS
from dashboard.analytics.listeners import read_heat
from dashboard.analytics.questions import Question
from dashboard.analytics.tables import Table
from segue.activity import Kind
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
    """Return a row a cluster, by the number that the page gives it."""
    found = await population.read_clusters(answers.database)
    names = ("n_listeners", "n_plays", "n_skipped")
    styles = {key for each in found for key in each.genre_ids}
    tracks = {key for each in found for key in each.track_ids}
    named = {
        **await answers.names.of(Kind.STYLE, styles),
        **await answers.names.of(Kind.TRACK, tracks),
    }

    def names_of(keys: Sequence[str]) -> str:
        return ", ".join(named[key].name for key in keys)

    return {
        "cluster": [each.number + 1 for each in found],
        **{name: [getattr(each, name) for each in found] for name in names},
        "styles": [" ".join(each.genre_ids) for each in found],
        "style_names": [names_of(each.genre_ids) for each in found],
        "tracks": [" ".join(each.track_ids) for each in found],
        "track_names": [names_of(each.track_ids) for each in found],
    }


async def returns(answers: Answers, question: Question, now: datetime) -> Table:
    """Return a row a cluster and week since the first play: which share played."""
    found = await population.read_clusters(answers.database)
    rows = [
        (each.number + 1, since, share)
        for each in found
        for since, share in enumerate(each.retained)
    ]
    names = ("cluster", "weeks_since", "share_played")
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


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

"""Words, tiles and tables of the page of listeners."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from dash import html

from dashboard import dates
from dashboard.analytics.heat import HOURS, WEEKDAYS, Heat
from dashboard.analytics.listeners_figures import NO_WEEK
from dashboard.analytics.names import Named
from dashboard.analytics.parts import NONE, share, table, tile
from dashboard.analytics.population import Cluster, Cohort, Sessions
from dashboard.analytics.times import Wish

SESSIONS: Final = (
    "A session is a run of one listener's plays of which none ends more than 30 "
    "minutes after the one before, over midnight too. It counts on the date (UTC) on "
    "which it began and lasts to the end of its last play. Dates of fewer than five "
    "listeners are left out."
)
COHORTS: Final = (
    "Of those whose first play ended in one week (from Monday on, UTC), which share "
    "played in each week since; this week still runs. A gap is what would tell of "
    "fewer than five people: of those who came back, of those who did not, or by "
    "subtraction. At most 26 first weeks and 26 weeks are drawn; the file has all."
)
CLUSTERS: Final = (
    "Listeners by what attracts them, of all their time (k-means over the directions "
    "of their tastes), whatever time is chosen above. Styles are those that are more "
    "frequent near the centre than in the whole library, tracks those nearest to it. "
    "Who is in which cluster is written nowhere."
)
_SHOWN_DATES: Final = 60
_MS_PER_MIN: Final = 60_000
_N_TRACKS: Final = 3


def words(wish: Wish) -> str:
    """Return of which time sessions and first weeks are shown."""
    end = f"{dates.day(wish.last_date)} UTC"
    if wish.start is None:
        return f"Sessions and first weeks up to {end}."
    return f"Sessions and first weeks from {dates.day(wish.start)} to {end}."


def heat_words(zone: str) -> str:
    """Return what the heat map counts."""
    return (
        f"Plays that ended, and about how many listeners did something (within 1.6 %), "
        f"by the weekday and hour in {zone}. Hours are kept for 90 days: of an earlier "
        "time nothing is shown here. A gap is of fewer than five listeners, or would "
        "tell of one by subtraction."
    )


def session_tiles(days: Sequence[Sessions]) -> list[html.Div]:
    """Return the figures at the head of the page."""
    n = sum(day.n_sessions for day in days)
    who = sum(day.n_listeners for day in days)
    plays = sum(day.n_plays for day in days)
    length_ms = sum(day.length_ms for day in days)
    heard_ms = sum(day.heard_ms for day in days)
    dates_told = "1 date" if len(days) == 1 else f"{len(days):,} dates"
    return [
        tile("Sessions", f"{n:,}", f"on {dates_told}"),
        tile("Sessions a day", _over(n, who), "of a listener who listens that day"),
        tile(
            "Length", f"{_over(length_ms, n * _MS_PER_MIN)} min", "of a session, mean"
        ),
        tile("Plays", _over(plays, n), "in a session, mean"),
        tile("Heard", f"{_over(heard_ms, n * _MS_PER_MIN)} min", "in a session, mean"),
    ]


def sessions_table(days: Sequence[Sessions]) -> html.Table:
    """Return the newest dates as a table."""
    rows = [
        (
            dates.day(day.day),
            f"{day.n_sessions:,}",
            f"{day.n_listeners:,}",
            f"{day.n_plays:,}",
            f"{_over(day.length_ms, day.n_sessions * _MS_PER_MIN)} min",
        )
        for day in days[-_SHOWN_DATES:]
    ]
    heads = ("Date, UTC", "Sessions", "Listeners", "Plays", "Mean length")
    caption = f"Sessions by the date of their start, the newest {len(rows)}"
    return table(caption, heads, reversed(rows))


def lengths_table(names: Sequence[str], counts: Sequence[int]) -> html.Table:
    """Return sessions by class of length."""
    total = max(1, sum(counts))
    rows = [
        (name, f"{n:,}", share(n / total))
        for name, n in zip(names, counts, strict=True)
    ]
    return table("Sessions by length", ("Length", "Sessions", "Share"), rows)


def heat_table(heat: Heat) -> html.Table:
    """Return plays, and listeners in brackets, by hour and weekday."""
    rows = [
        (
            hour,
            *(
                _plays(plays[at], people[at])
                for plays, people in zip(heat.plays, heat.listeners, strict=True)
            ),
        )
        for at, hour in enumerate(HOURS)
    ]
    caption = f"Plays (listeners) by hour; {NONE} is not told"
    return table(caption, ("From", *WEEKDAYS), rows)


def cohorts_table(cohorts: Sequence[Cohort], n_weeks: int) -> html.Table:
    """Return which share of each first week came back."""
    rows = [
        (
            dates.day(cohort.first_week),
            f"{cohort.n_listeners:,}",
            *(
                _percent(cohort.share(since)) if since < len(cohort.played) else ""
                for since in range(n_weeks)
            ),
        )
        for cohort in reversed(cohorts)
    ]
    heads = ("First week", "Listeners", *(f"{n}" for n in range(n_weeks)))
    caption = f"Share that played, by weeks since the first; {NONE} is not told"
    return table(caption, heads, rows)


def clusters_table(
    clusters: Sequence[Cluster], named: Mapping[str, Named]
) -> html.Table:
    """Return what is known of each cluster."""
    rows = [
        (
            cluster.name,
            f"{cluster.n_listeners:,}",
            ", ".join(named[key].name for key in cluster.genre_ids) or NONE,
            _tracks([named[key] for key in cluster.track_ids[:_N_TRACKS]]),
            f"{cluster.n_plays:,}",
            _over(cluster.n_plays, cluster.n_listeners),
            share(cluster.skip_share),
        )
        for cluster in clusters
    ]
    heads = (
        *("Cluster", "Listeners", "Styles", "Nearest tracks", "Plays"),
        *("Plays a listener", "Skip rate"),
    )
    return table("Clusters of taste, the largest first", heads, rows)


def kept_table(clusters: Sequence[Cluster]) -> html.Table | str:
    """Return which share of each cluster played, by weeks."""
    n_weeks = max((len(each.retained) for each in clusters), default=0)
    if not n_weeks:
        return NO_WEEK
    rows = [
        (f"{since}", *(_percent(_at(each.retained, since)) for each in clusters))
        for since in range(n_weeks)
    ]
    heads = ("Weeks since", *(each.name for each in clusters))
    return table(f"Share that played; {NONE} is not told", heads, rows)


def _tracks(tracks: Sequence[Named]) -> html.Span:
    ways: list[Any] = []
    for track in tracks:
        href = f"/track/{quote(track.key, safe='')}"
        way = html.A(track.name, href=href, className="way")
        ways.append(html.Span([way, html.Span(track.note)], className="named"))
    return html.Span(ways)


def _at(row: Sequence[float | None], place: int) -> float | None:
    return row[place] if place < len(row) else None


def _over(n: float, of: float) -> str:
    return f"{n / of:,.1f}" if of else NONE


def _plays(n: int | None, people: int | None) -> str:
    return NONE if n is None else f"{n:,} ({people:,})"


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{value:.0%}"

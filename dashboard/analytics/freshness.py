"""Is the list fresh? One answer with its reason, from what is known at this moment.

The thresholds are here, and stand on the page. The first reason that holds is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from dashboard.records import QueryHealth
from dashboard.stream_queries import STALE_AFTER_S
from segue.delays import percentile_of

QUERY: Final = "taste"
"""The query that makes lists."""
FRESH_S: Final = 2.0
"""A list is fresh that comes so long after its event."""
MOST_WAITING: Final = 1_000
"""Messages in Kafka that may wait: fewer are taken by the next micro-batch or two."""
MOST_BUSY_S: Final = 30.0
"""For how long a micro-batch may run."""
MOST_DUE_S: Final = 30.0
"""For how long a list may be due that a backlog has left for later."""
ENOUGH_LISTS: Final = 20
"""Of fewer the median decides: one event that came late would be their p95."""


class LastList(NamedTuple):
    """The newest list: its delay, and how long ago it was written."""

    delay_s: float
    ago_s: float


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the stream at a moment.

    Attributes
    ----------
    delays : dict
        Numbers of lists of the last five minutes, by bin of their delay.
    last : LastList, optional
        None where there is no list yet.
    n_due, due_s : int, float
        Lists that are to follow, and for how long the oldest has been.
    uncounted : str
        What `activity` has nothing of, as a sentence; "" where it has all.
    ages_s : mapping
        Seconds since each query has reported.
    """

    queries: Sequence[QueryHealth]
    ages_s: dict[str, float]
    delays: dict[int, int]
    last: LastList | None
    n_due: int = 0
    due_s: float = 0.0
    uncounted: str = ""

    @property
    def n_lists(self) -> int:
        """Lists of the last five minutes."""
        return sum(self.delays.values())

    def percentile(self, share: float) -> float | None:
        """Return a percentile of their delays, in seconds."""
        return percentile_of(self.delays, share)

    def query(self, name: str) -> QueryHealth | None:
        """Return what is known of a query."""
        return next((each for each in self.queries if each.name == name), None)


class Verdict(NamedTuple):
    """Whether the list is fresh, and why or why not, as a sentence."""

    is_fresh: bool
    reason: str


def judged(state: State) -> Verdict:
    """Tell whether the list is fresh."""
    query = state.query(QUERY)
    if query is None:
        said = "has never reported; start the stream with “segue stream”"
        return Verdict(is_fresh=False, reason=f"query {QUERY} {said}.")
    wrong = _stopped(state, query) or _behind(state, query) or _slow(state)
    if wrong:
        return Verdict(is_fresh=False, reason=wrong)
    if state.last is None:
        said = "no list was made yet, and nothing waits."
        return Verdict(is_fresh=True, reason=said)
    last = state.last
    return Verdict(
        is_fresh=True,
        reason=f"the last list came {last.delay_s:,.1f} s after its event, "
        f"{span(last.ago_s)} ago; nothing waits.",
    )


def span(seconds: float) -> str:
    """Return a length of time in words.

    Examples
    --------
    >>> span(0.4), span(40), span(7_300), span(200_000)
    ('0 s', '40 s', '2 h', '2 d')
    """
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:,.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _stopped(state: State, query: QueryHealth) -> str:
    age_s = state.ages_s[query.name]
    if age_s > STALE_AFTER_S:
        return f"query {query.name} last reported {span(age_s)} ago."
    if query.busy_s is not None and query.busy_s > MOST_BUSY_S:
        return (
            f"query {query.name} has been at one micro-batch for {span(query.busy_s)}."
        )
    return ""


def _behind(state: State, query: QueryHealth) -> str:
    if query.n_waiting > MOST_WAITING:
        return f"{query.n_waiting:,} messages wait in Kafka."
    if state.due_s > MOST_DUE_S:
        n = f"{state.n_due:,} {'list is' if state.n_due == 1 else 'lists are'}"
        return f"{n} to follow; the oldest has waited for {span(state.due_s)}."
    return ""


def _slow(state: State) -> str:
    is_enough = state.n_lists >= ENOUGH_LISTS
    name, share = ("p95", 0.95) if is_enough else ("median", 0.5)
    delay_s = state.percentile(share)
    if delay_s is None or delay_s <= FRESH_S:
        return ""
    lists = "list" if state.n_lists == 1 else "lists"
    return (
        f"the {name} of {state.n_lists:,} {lists} of the last 5 minutes came "
        f"{delay_s:,.1f} s after its event, over {FRESH_S:.0f} s."
    )

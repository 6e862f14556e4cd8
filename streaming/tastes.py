"""From panes to documents: what each says of a taste, and the list that follows.

All that is computed here follows from event times and entries, never from the time or
the batch in which it runs; but for what a list changed, which follows from the list
that was there.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from models.days import PastTaste, day_taste, past_taste
from models.exclusions import excluded_rows
from models.exploration import seed_of
from models.groups import TrackGroups
from models.horizons import Horizons, merge_horizons
from models.learned import Learned
from models.listens import Entry, distinct_entries, words_of
from models.plans import Request
from models.ranking import Ranked, Recommendation, rank
from models.taste import taste_of
from models.taste_fields import taste_document
from segue import store
from segue.events import Action
from segue.settings import Settings, TasteSettings
from segue.store import Document
from segue.track_index import TrackIndex
from streaming.panes import DAY_S, Pane, counts_of

_PASSING: Final = frozenset({Action.STARTED, Action.PROGRESSED})
"""What happens while a play goes on: it is no act of its own."""


class Known(NamedTuple):
    """What is known of one listener.

    Attributes
    ----------
    recent : list of Entry
        By time, with the tracks' ids of today: those from `oldest_needed` on.
    past : PastTaste
        Of the days before the date of the newest entry.
    """

    recent: list[Entry]
    past: PastTaste


class Lists(NamedTuple):
    """What is to be written for some listeners.

    Attributes
    ----------
    without_list : dict
        Listeners of whom nothing is left, as of a time: they are as new.
    """

    tastes: list[Document]
    lists: list[Document]
    without_list: dict[str, datetime]


def oldest_needed(newest_at: datetime, settings: TasteSettings) -> datetime:
    """Return from when entries count one by one, for a list as of `newest_at`."""
    midnight = datetime.combine(newest_at.date(), time(), UTC)
    return min(newest_at - timedelta(seconds=settings.horizon_s), midnight)


def entries_of(panes: Sequence[Pane], aliases: Mapping[str, str]) -> list[Entry]:
    """Return all entries of a listener's panes by time, each event once."""
    together = distinct_entries(entry for pane in panes for entry in pane.entries)
    return [as_known(e, aliases) for e in together] if aliases else together


def known_of(
    entries: Sequence[Entry], settings: TasteSettings, index: TrackIndex
) -> Known:
    """Return what all entries of a listener say, past days included.

    Parameters
    ----------
    entries : sequence of Entry
        At least one, by time, with the tracks' ids of today.
    """
    newest_at = entries[-1].event_time
    by_day: dict[date, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_day[entry.event_time.date()].append(entry)
    days = {day: day_taste(each) for day, each in by_day.items()}
    oldest = oldest_needed(newest_at, settings)
    recent = [entry for entry in entries if entry.event_time >= oldest]
    return Known(recent, past_taste(days, newest_at.date(), settings, index))


def create_lists(
    known: Mapping[str, Known],
    index: TrackIndex,
    groups: TrackGroups,
    settings: Settings,
    updated_at: datetime,
    before: Mapping[str, Document] | None = None,
    learned: Learned | None = None,
) -> Lists:
    """Return tastes and lists of listeners.

    Parameters
    ----------
    known : mapping
        By `user_id`.
    before : mapping, optional
        The list that each has now.
    learned : Learned, optional
        What others' plays say, in the rows of `index`.
    """
    users = [user for user, each in known.items() if says_something(each)]
    requests = [
        request_of(user, known[user], settings.taste, index, groups) for user in users
    ]
    ranked = rank(requests, index, groups, settings.taste, learned)
    tastes, lists = [], []
    for user, request, each in zip(users, requests, ranked, strict=True):
        stamp = {
            "_id": user,
            "index_version": index.version,
            "model_version": each.model_version,
            "newest_event_at": known[user].recent[-1].event_time,
            "updated_at": updated_at,
        }
        pane_s, recent = settings.stream.pane_s, known[user].recent
        tastes.append(stamp | _taste_fields(request.horizons, each, pane_s))
        fields = {"items": [_item(row, pane_s) for row in each.rows]}
        diff = _diff(fields["items"], recent, (before or {}).get(user), updated_at)
        lists.append(stamp | fields | {"diff": diff})
    silent = {
        user: each.recent[-1].event_time
        for user, each in known.items()
        if each.recent and not says_something(each)
    }
    return Lists(tastes, lists, silent)


def says_something(known: Known) -> bool:
    """Tell whether anything is left of which a list could be made."""
    return any(entry.action != Action.FORGOTTEN for entry in known.recent)


def request_of(
    user_id: str,
    known: Known,
    settings: TasteSettings,
    index: TrackIndex,
    groups: TrackGroups,
) -> Request:
    """Return what a list of a listener is made from, as of their newest entry."""
    as_of = known.recent[-1].event_time
    horizons = merge_horizons(known.recent, known.past, as_of, settings, index)
    excluded = excluded_rows(
        known.recent, horizons, as_of, settings.heard_s, index, groups
    )
    evidence = horizons.evidence
    heard = zip(evidence.track_ids, evidence.weights.tolist(), strict=True)
    familiar = frozenset(track_id for track_id, weight in heard if weight > 0)
    return Request(horizons, excluded, familiar, seed_of(user_id, known.recent))


def as_known(entry: Entry, aliases: Mapping[str, str]) -> Entry:
    """Return an entry with the id that its track has in the catalogue."""
    track_id = aliases.get(entry.track_id)
    return entry if track_id is None else entry._replace(track_id=track_id)


def window_document(
    user_id: str,
    pane: Pane,
    index: TrackIndex,
    aliases: Mapping[str, str],
    updated_at: datetime,
) -> Document:
    """Return the `taste_windows` document of a pane."""
    entries = [as_known(entry, aliases) for entry in pane.entries]
    known = [entry for entry in entries if _is_known(entry, index)]
    listens = words_of(known).listens
    taste = taste_of(listens, index.row_of, index.vectors)
    copies = [copy._asdict() for copy in pane.copies]
    return {
        "_id": store.taste_window_id(user_id, *pane.window),
        "user_id": user_id,
        "window_start": pane.window_start,
        "window_length_s": pane.length_s,
        **taste_document(taste, len(listens)),
        **counts_of(pane, known),
        "entries": [dict(zip(Entry._fields, e, strict=True)) for e in pane.entries],
        # a short pane comes whole out of Spark's state, and need not know its messages
        **({"copies": copies} if pane.length_s == DAY_S else {}),
        "index_version": index.version,
        "updated_at": updated_at,
    }


def _is_known(entry: Entry, index: TrackIndex) -> bool:
    # what is forgotten need not be a track
    return entry.track_id in index.row_of or entry.action == Action.FORGOTTEN


def _taste_fields(horizons: Horizons, ranked: Ranked, pane_s: int) -> Document:
    return {
        "horizons": {
            name.value: taste_document(taste, horizons.n_listens[name])
            for name, taste in horizons.tastes.items()
        },
        "seeds": [_cause(*seed, pane_s) for seed in ranked.seeds],
    }


def _item(row: Recommendation, pane_s: int) -> Document:
    return {
        "track_id": row.track_id,
        "rank": row.rank,
        "score": row.score,
        "parts": row.parts,
        "because": [_cause(*reason, pane_s) for reason in row.because],
        "seed": row.seed,
        "neighbour": row.neighbour,
        "follows": row.follows,
        "explored": row.explored,
        "propensity": row.propensity,
    }


def _cause(track_id: str, share: float, listened_at: datetime, pane_s: int) -> Document:
    return {
        "track_id": track_id,
        "share": share,
        "window_start": _window_start(listened_at, pane_s),
    }


def _diff(
    items: list[Document],
    recent: Sequence[Entry],
    before: Document | None,
    updated_at: datetime,
) -> Document:
    """Return what the list changed, and the event that it follows.

    A list that is written again says the same again, and while a play goes on without
    changing the list, what changed it last is still said.
    """
    ids = [item["track_id"] for item in items]
    held = [] if before is None else [item["track_id"] for item in before["items"]]
    said: Document = {} if before is None else before.get("diff", {})
    since = None if before is None else before["newest_event_at"]
    new = [each for each in recent if since is None or each.event_time > since]
    acts = [each for each in new if each.action not in _PASSING]
    if ids == held and said and not acts:
        return said
    event = (acts or recent)[-1]
    return {
        "came": [track_id for track_id in ids if track_id not in held],
        "left": [track_id for track_id in held if track_id not in ids],
        "event": {
            name: getattr(event, name)
            for name in ("event_id", "action", "track_id", "event_time")
        },
        "made_at": updated_at,
    }


@lru_cache(maxsize=10_000)
def _window_start(moment: datetime, pane_s: int) -> datetime:
    # panes begin at midnight, and a day is a whole number of them
    past_s = (moment.hour * 60 + moment.minute) * 60 + moment.second
    return moment.replace(microsecond=0) - timedelta(seconds=past_s % pane_s)


def dates_of(panes: Sequence[Pane]) -> frozenset[date]:
    """Return the dates in which panes begin."""
    return frozenset(pane.window_start.date() for pane in panes)

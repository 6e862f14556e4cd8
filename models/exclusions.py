"""What must not be in a list: blocked, disliked, just heard, and copies of these."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

import numpy as np

from models.groups import Rows, TrackGroups, blocked_rows
from models.horizons import Horizons
from models.listens import PLAY_ACTIONS, Block, Entry
from segue.track_index import TrackIndex


def excluded_rows(
    recent: Sequence[Entry],
    horizons: Horizons,
    as_of: datetime,
    heard_s: float,
    index: TrackIndex,
    groups: TrackGroups,
) -> Rows:
    """Return the rows that stay out, ascending: all tracks of their recordings.

    At most half of the catalogue counts as heard lately (the latest), so that a small
    one never runs dry.

    Parameters
    ----------
    recent : sequence of Entry
        By time.
    """
    heard = _heard_lately(recent, as_of, heard_s)
    latest = sorted(heard, key=lambda track_id: (heard[track_id], track_id))
    disliked = [name for name, weight in horizons.reactions.items() if weight < 0]
    return rows_out(disliked, latest, horizons.blocks, index, groups)


def rows_out(
    disliked: Sequence[str],
    heard: Sequence[str],
    blocks: Sequence[Block],
    index: TrackIndex,
    groups: TrackGroups,
) -> Rows:
    """Return the rows of what is disliked, was heard (distinct, by time) or blocked."""
    n_heard = min(len(heard), len(index.track_ids) // 2)
    out = [*disliked, *heard[len(heard) - n_heard :]]
    rows = [index.row_of[name] for name in out if name in index.row_of]
    blocked = blocked_rows(blocks, index, groups)
    whole = groups.recording.rows_with(np.array(rows, dtype=np.int32))
    return np.union1d(whole, blocked)


def _heard_lately(
    recent: Sequence[Entry], as_of: datetime, heard_s: float
) -> Mapping[str, datetime]:
    since = as_of - timedelta(seconds=heard_s)
    first = bisect_left(recent, since, key=attrgetter("event_time"))
    return {
        entry.track_id: entry.event_time
        for entry in recent[first:]
        if entry.action in PLAY_ACTIONS
    }

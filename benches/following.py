"""How the list follows when a taste turns, and how `always` keeps the old one.

Simulated listeners play for days to one taste; then it jumps to another, which only
the simulator knows. From then on they choose from the list, made anew after every play
by the functions of the stream, or by themselves. After each play that was heard out the
list is judged: which share of it lies near the new taste, so that it would rather be
heard out than skipped. `always` is judged by its cosine with the old one. No services
are needed.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import click
import numpy as np
from tqdm import tqdm

from benches.stack import create_bench_index
from models.groups import create_groups
from models.listens import Entry
from segue.clock import system_clock
from segue.events import Action, PlaybackEvent
from segue.settings import Settings
from segue.track_index import TrackIndex
from streaming.schemas import ENTRY_FIELDS
from streaming.simulator.choosing import Catalogue, ListHead
from streaming.simulator.crowd import Crowd, create_crowd
from streaming.simulator.rhythm import Lifelike
from streaming.simulator.turns import Simulator, probability_of_hearing_out
from streaming.tastes import create_lists, known_of

_START: Final = datetime(2026, 5, 4, tzinfo=UTC)
_N_CLUSTERS: Final = 40
_DAY_S: Final = 86_400.0
_HEAD: Final = 5
_MOST_LISTENS: Final = 10
_WITHIN: Final = 5
_WANTED: Final = 0.8


@click.command(help=__doc__)
@click.option("--listeners", default=100, show_default=True)
@click.option("--tracks", default=10_000, show_default=True)
@click.option("--days", default=10, show_default=True, help="Before the jump.")
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(listeners: int, tracks: int, days: int, seed: int, out: Any) -> None:
    """Measure; see the module."""
    rng = np.random.default_rng(seed)
    index = create_bench_index(tracks, rng, _N_CLUSTERS)
    answer = follow(index, listeners, days, Settings(), rng)
    json.dump(answer, out, indent=1)
    out.write("\n")


def follow(
    index: TrackIndex,
    n_listeners: int,
    days: int,
    settings: Settings,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return how the lists follow.

    Returns
    -------
    dict
        `precision` by the number of listens since the jump, from 0; `within`, after how
        many its mean passes 0.8; `always_old` and `always_new`, the mean cosine of
        `always` with the old and the new taste at the end, `now_new` of `now`.
    """
    crowd = _jumping(
        create_crowd("l", n_listeners, len(index.track_ids), 1.0, rng), days
    )
    watch = _Watch(crowd, index, settings, days)
    artists = rng.integers(len(index.track_ids) // 10, size=len(index.track_ids))
    durations_ms = np.full(len(index.track_ids), 200_000)
    simulator = Simulator(
        crowd,
        Catalogue(index, durations_ms, artists),
        Lifelike(_START, crowd.shift_h),
        watch.read_lists,
        rng,
        "follow",
    )
    with tqdm(total=n_listeners, desc="followed", file=sys.stderr) as bar:
        for turns in simulator.turns(_START):
            for turn in turns:
                for event in turn.events:
                    watch.see(event)
            bar.update(watch.n_done - bar.n)
            if watch.n_done == n_listeners:
                return watch.answer()
    raise AssertionError("listeners play for ever")


def _jumping(crowd: Crowd, days: int) -> Crowd:
    """Return the crowd with one jump for everybody, after so many days."""
    n = len(crowd.user_ids)
    return replace(
        crowd,
        centres=crowd.centres[:, :2],
        change_s=np.full((n, 1), days * _DAY_S),
        drift_s=np.zeros((n, 1)),
    )


@dataclass(frozen=True)
class _Judged:
    """A list, as its listener would take it."""

    precision: float
    cosines: Mapping[str, float]


class _Watch:
    """Keeps what everybody played, makes their lists and judges them."""

    def __init__(
        self, crowd: Crowd, index: TrackIndex, settings: Settings, days: int
    ) -> None:
        self._crowd, self._index, self._settings = crowd, index, settings
        self._groups = create_groups(index.track_ids, {})
        self._jump_s = days * _DAY_S
        self._entries: dict[str, list[Entry]] = defaultdict(list)
        self._numbers = {user: number for number, user in enumerate(crowd.user_ids)}
        self._judged: dict[str, list[_Judged]] = defaultdict(list)

    @property
    def n_done(self) -> int:
        """How many listeners have heard enough since the jump."""
        return sum(len(each) > _MOST_LISTENS for each in self._judged.values())

    def see(self, event: PlaybackEvent) -> None:
        """Keep an event, and judge the list after a play that was heard out."""
        since_s = (event.event_time - _START).total_seconds() - self._jump_s
        judged = self._judged[event.user_id]
        if since_s > 0 and not judged and self._entries[event.user_id]:
            judged.append(self._judge(event.user_id))
        entry = Entry(*(getattr(event, name) for name in ENTRY_FIELDS))
        self._entries[event.user_id].append(entry)
        is_more = 0 < len(judged) <= _MOST_LISTENS
        if since_s > 0 and is_more and event.action is Action.COMPLETED:
            judged.append(self._judge(event.user_id))

    def read_lists(self, user_ids: Sequence[str]) -> dict[str, ListHead]:
        """Return the heads of the lists; before the jump there are none."""
        return {
            user: ListHead(user, self._rows(user)[:_HEAD])
            for user in user_ids
            if self._judged[user]
        }

    def _rows(self, user_id: str) -> list[int]:
        items = self._documents(user_id)[1]["items"]
        return [self._index.row_of[item["track_id"]] for item in items]

    def _documents(self, user_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        known = known_of(self._entries[user_id], self._settings.taste, self._index)
        now = system_clock()
        made = create_lists(
            {user_id: known}, self._index, self._groups, self._settings, now
        )
        return made.tastes[0], made.lists[0]

    def _judge(self, user_id: str) -> _Judged:
        taste, document = self._documents(user_id)
        row_of = self._index.row_of
        rows = np.array([row_of[item["track_id"]] for item in document["items"]])
        number, vectors = self._numbers[user_id], np.asarray(self._index.vectors)
        who = np.full(len(rows), number)
        after = np.full(len(rows), self._jump_s + 1)
        near = self._crowd.closeness(who, after, rows, vectors)
        old, new = vectors[self._crowd.centres[number]]
        horizons = taste["horizons"]
        cosines = {
            "always_old": _nearest(horizons["always"]["vector"], old),
            "always_new": _nearest(horizons["always"]["vector"], new),
            "now_new": _nearest(horizons["now"]["vector"], new),
        }
        is_wanted = probability_of_hearing_out(near) >= 1 / 2
        return _Judged(float(is_wanted.mean()), cosines)

    def answer(self) -> dict[str, Any]:
        """Return means over all listeners."""
        kept = [each[: _MOST_LISTENS + 1] for each in self._judged.values()]
        curve = np.array([[x.precision for x in each] for each in kept])
        means = curve.mean(axis=0).round(3).tolist()
        passed = [n for n, mean in enumerate(means) if mean >= _WANTED]
        names = kept[0][-1].cosines
        return {
            "n_listeners": len(kept),
            "precision": means,
            "within": min(passed, default=None),
            "share_of_listeners_within_5": float(
                (curve[:, : _WITHIN + 1].max(axis=1) >= _WANTED).mean()
            ),
            **{
                name: round(float(np.mean([x[-1].cosines[name] for x in kept])), 3)
                for name in names
            },
            "always_old_before": round(
                float(np.mean([x[0].cosines["always_old"] for x in kept])), 3
            ),
        }


def _nearest(vector: Sequence[float], regions: Any) -> float:
    """Return the cosine of a taste with the nearest of some regions."""
    point = np.array(vector)
    length = np.linalg.norm(point)
    return float((regions @ point).max() / length) if length else 0.0


if __name__ == "__main__":
    sys.exit(main())

"""Can the truth be told from the plays alone? It must, or it is of no use."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segue.errors import InvalidEventError
from segue.events import Action, PlaybackEvent, parse_event
from segue.track_index import TrackIndex
from streaming.simulator.crowd import Crowd, Floats, Rows

_FEWEST: Final = 8
_NEAR: Final = 5
_N_CHANCE: Final = 64


@dataclass(frozen=True)
class Recovery:
    """What the plays tell of the truth.

    Attributes
    ----------
    heard_out, skipped, chance : float
        Mean cosine, with the nearest region of that listener at that time, of what was
        heard to its end, of what was skipped, and of tracks taken at random.
    share_nearer : float
        Listeners whose plays heard out lie nearer than chance, of all who have some.
    n_jumps, n_found : int
        Jumps with enough plays on both sides, and those that the best split of the
        plays finds within `_NEAR` plays.
    by_luck : float
        How many jumps a split at random would find.
    """

    n_plays: int
    heard_out: float
    skipped: float
    chance: float
    share_nearer: float
    n_jumps: int
    n_found: int
    by_luck: float
    within: int = _NEAR

    @property
    def is_recovered(self) -> bool:
        """Whether plays lie nearer than chance, and jumps are seen not by luck."""
        is_near = self.skipped < self.heard_out > self.chance
        return is_near and (self.n_jumps == 0 or self.n_found > self.by_luck)


@dataclass(frozen=True)
class _Heard:
    """One listener's plays by time: seconds from the start, rows, heard to the end."""

    at_s: Floats
    rows: Rows
    is_out: NDArray[np.bool_]


def recover(
    events: Iterable[PlaybackEvent],
    start: datetime,
    crowd: Crowd,
    index: TrackIndex,
    rng: np.random.Generator,
) -> Recovery:
    """Compare the plays with the tastes that they came from."""
    vectors = np.asarray(index.vectors, dtype=np.float32)
    near: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    is_nearer, jumps = [], []
    for number, heard in _by_listener(events, start, crowd, index):
        who = np.full(len(heard.rows), number)
        close = crowd.closeness(who, heard.at_s, heard.rows, vectors)
        some = rng.integers(len(heard.rows), size=_N_CHANCE)
        anything = rng.integers(len(vectors), size=_N_CHANCE)
        by_chance = crowd.closeness(who[some], heard.at_s[some], anything, vectors)
        near["out"].append(close[heard.is_out])
        near["skipped"].append(close[~heard.is_out])
        near["chance"].append(by_chance)
        if heard.is_out.any():
            is_nearer.append(close[heard.is_out].mean() > by_chance.mean())
        jumps += list(_jumps(number, heard, crowd, vectors))
    means = {name: _mean(values) for name, values in near.items()}
    return Recovery(
        n_plays=sum(map(len, near["out"])) + sum(map(len, near["skipped"])),
        heard_out=means.get("out", np.nan),
        skipped=means.get("skipped", np.nan),
        chance=means.get("chance", np.nan),
        share_nearer=float(np.mean(is_nearer)) if is_nearer else np.nan,
        n_jumps=len(jumps),
        n_found=sum(is_found for is_found, _ in jumps),
        by_luck=sum(luck for _, luck in jumps),
    )


def read_events(path: Path) -> Iterator[PlaybackEvent]:
    """Yield the events of JSON lines, passing over what is none."""
    with path.open("rb") as file:
        for line in file:
            with suppress(InvalidEventError):
                yield parse_event(line.rstrip(b"\n"))


def best_split(points: NDArray[np.float32]) -> int:
    """Return before which row the points are best cut in two.

    The cut that leaves least variance within both parts (as a regression tree, or
    binary segmentation of a change point, does).

    Parameters
    ----------
    points : ndarray, float32, shape (n, n_dims)
        At least two, in order.
    """
    n = len(points)
    before = np.cumsum(points, axis=0, dtype=np.float64)[:-1]
    sizes = np.arange(1, n)[:, None]
    after = before[-1] + points[-1] - before
    gain = (before**2 / sizes + after**2 / (n - sizes)).sum(axis=1)
    return int(gain.argmax()) + 1


def _by_listener(
    events: Iterable[PlaybackEvent], start: datetime, crowd: Crowd, index: TrackIndex
) -> Iterator[tuple[int, _Heard]]:
    number_of = {user: number for number, user in enumerate(crowd.user_ids)}
    plays: dict[int, dict[str, tuple[float, int, bool]]] = defaultdict(dict)
    for event in events:
        if event.action in (Action.COMPLETED, Action.SKIPPED):
            at_s = (event.event_time - start).total_seconds()
            is_out = event.action is Action.COMPLETED
            row = index.row_of[event.track_id]
            plays[number_of[event.user_id]][event.play_id] = (at_s, row, is_out)
    for number in sorted(plays):
        columns = zip(*sorted(plays[number].values()), strict=True)
        yield number, _Heard(*map(np.array, columns))


def _jumps(
    number: int, heard: _Heard, crowd: Crowd, vectors: NDArray[np.float32]
) -> Iterator[tuple[bool, float]]:
    """Yield for each jump whether it is found, and how likely that were by luck."""
    at_s, rows = heard.at_s[heard.is_out], heard.rows[heard.is_out]
    changes = crowd.change_s[number]
    ends = changes + crowd.drift_s[number]
    for place in np.flatnonzero(crowd.drift_s[number] == 0):
        since = ends[place - 1] if place else 0.0
        until = changes[place + 1] if place + 1 < len(changes) else np.inf
        inside = (since < at_s) & (at_s < until)
        n_before = int((at_s[inside] <= changes[place]).sum())
        n = int(inside.sum())
        if min(n_before, n - n_before) >= _FEWEST:
            split = best_split(vectors[rows[inside]])
            luck = min(1.0, (2 * _NEAR + 1) / (n - 1))
            yield abs(split - n_before) <= _NEAR, luck


def _mean(values: list[NDArray[np.float32]]) -> float:
    together = np.concatenate(values)
    return float(together.mean()) if len(together) else float("nan")

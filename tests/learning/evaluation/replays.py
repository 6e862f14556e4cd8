"""Listeners who play what their camp plays, over some dates, and how they react."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from learning.evaluation.rankers import Ranker, rankers_of
from learning.evaluation.rounds import Listener, Stage, create_listener, replayed
from learning.evaluation.sums import Listed, Sums
from models.groups import create_groups
from models.learned import Learned
from segue.settings import LearningSettings, MongoSettings, Settings
from segue.track_index import TrackIndex, create_track_index
from streaming.archive import dates_of, read_date
from streaming.archive_files import FOLDER
from streaming.rebuild import read_entries
from tests.learning.archives import event

FIRST_DAY = datetime(2026, 5, 1, tzinfo=UTC)
N_DATES = 8
N_CAMPS, N_TRACKS = 4, 18
EVER = datetime(2030, 1, 1, tzinfo=UTC)
SMALL = LearningSettings(n_factors=2, n_iterations=2, n_neighbours=4, confidence=5)


def settings_of(home: Path) -> Settings:
    return Settings(home=home, learning=SMALL, mongo=MongoSettings(uri=None))


def camp_index() -> TrackIndex:
    """Return tracks that sound like those of their camp."""
    rng = np.random.default_rng(8)
    centres = rng.normal(size=(N_CAMPS, 12))
    names = [f"{camp}-{n:02d}" for camp in range(N_CAMPS) for n in range(N_TRACKS)]
    vectors = np.repeat(centres, N_TRACKS, axis=0)
    vectors = vectors + rng.normal(scale=0.7, size=vectors.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return create_track_index("camps", names, vectors.astype(np.float32))


def day(number: int) -> date:
    return (FIRST_DAY + timedelta(days=number)).date()


def some_events(
    n_listeners: int, n_plays: int, seed: int = 1, n_dates: int = N_DATES
) -> list[dict[str, Any]]:
    """Return plays of several events each, reactions, blocks and unknown tracks."""
    rng = np.random.default_rng(seed)
    events = []
    for who in range(n_listeners):
        user = f"u{who:03d}"
        starts = np.sort(rng.uniform(0, n_dates * 86_400, n_plays)).tolist()
        for number, at_s in enumerate(starts):
            camp = who % N_CAMPS if rng.random() < 0.8 else int(rng.integers(N_CAMPS))
            track = f"{camp}-{int(rng.integers(N_TRACKS)):02d}"
            if rng.random() < 0.05:
                track = "nowhere"
            play = {"play_id": f"{user}-{number}", "session_id": user}
            events += _events_of(user, track, at_s, play, rng)
    return events


def _events_of(
    user: str, track: str, at_s: float, play: dict[str, str], rng: np.random.Generator
) -> list[dict[str, Any]]:
    def made(action: str, after_s: float, played_ms: int | None) -> dict[str, Any]:
        at = FIRST_DAY + timedelta(seconds=round(at_s + after_s))
        return event(user, track, action, event_time=at, played_ms=played_ms, **play)

    told = [made("started", 0, 0)]
    kind = rng.random()
    if kind < 0.65:
        told += [made("progressed", 30, 30_000), made("completed", 60, 60_000)]
    elif kind < 0.9:
        told.append(made("skipped", 5, 5_000))
    if rng.random() < 0.1:
        told.append(made("liked" if kind < 0.65 else "disliked", 20, None))
    if rng.random() < 0.03:
        told.append(made("blocked", 6, None))
    return told


def stage_with(
    index: TrackIndex, rankers: Iterable[Ranker], learned: Learned | None = None
) -> Stage:
    by_ranker = {each.name: each.learned_of(learned) for each in rankers}
    return Stage(index, create_groups(index.track_ids, {}), by_ranker)


def listeners_of(
    home: Path, users: Iterable[str], first: date, last: date, stage: Stage
) -> list[Listener]:
    """Return listeners out of an archive, read as `rebuild` reads it."""
    return [
        create_listener(
            user, read_entries(home / FOLDER, user, EVER), first, last, stage
        )
        for user in users
    ]


def told_by(
    listeners: Sequence[Listener], rankers: Sequence[Ranker], stage: Stage
) -> pa.Table:
    """Return what one worker would tell of them."""
    sums, listed = Sums(), Listed(len(stage.index.track_ids))
    for each in listeners:
        sums.add_silent(each, rankers[0].name)
    for judged in replayed(listeners, rankers, stage):
        sums.add(judged)
        listed.add(judged)
    return pa.Table.from_batches([sums.batch(), listed.batch()])


def rankers_with(settings: Settings, *against: str) -> tuple[Ranker, ...]:
    return rankers_of(settings, against)


def events_in(home: Path) -> pa.Table:
    folder = home / FOLDER
    return pa.concat_tables([read_date(folder, each) for each in dates_of(folder)])

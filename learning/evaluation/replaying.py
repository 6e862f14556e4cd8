"""The workers' part of a replay: each goes through its listeners, a group at a time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyarrow as pa

from learning.evaluation.rankers import Ranker
from learning.evaluation.rounds import Listener, Stage, create_listener, replayed
from learning.evaluation.sums import Listed, Sums
from learning.plays import entries_of, whole_keys
from models.groups import TrackGroups, create_groups
from models.learned import learned_for
from segue.settings import MongoSettings, Settings
from segue.track_index import TrackIndex, open_track_index
from segue.trained_model import open_model
from streaming.columns import dicts
from streaming.facts import read_groups
from streaming.forget_rules import is_forgotten, read_rules
from streaming.session import settle_worker, worker_database

_MOST_LISTENERS: Final = 200
_MOST_ENTRIES: Final = 200_000


@dataclass(frozen=True)
class Replay:
    """What each worker knows of a replay.

    Attributes
    ----------
    first, last : date
        Plays that began in these dates are judged.
    index_version : str
        The same for all workers, whatever is built meanwhile.
    models : Path
        Folder with the model of `model_version`, where there is one.
    """

    settings: Settings
    rankers: tuple[Ranker, ...]
    first: date
    last: date
    index_version: str
    models: Path
    model_version: str | None


def replaying(
    replay: Replay,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the worker's step: archived events, by listener, to rows of `TOLD`."""

    def step(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        settle_worker()
        stage = stage_of(replay)
        listed = Listed(len(stage.index.track_ids))
        for group in groups_of(batches, replay, stage):
            sums = Sums()
            for each in group:
                sums.add_silent(each, replay.rankers[0].name)
            for judged in replayed(group, replay.rankers, stage):
                sums.add(judged)
                listed.add(judged)
            yield sums.batch()
        yield listed.batch()

    return step


def stage_of(replay: Replay) -> Stage:
    """Return what lists are made with in this process."""
    settings = replay.settings
    index = open_track_index(settings.home / "index", replay.index_version)
    learned = None
    if replay.model_version is not None:
        learned = learned_for(open_model(replay.models, replay.model_version), index)
    by_ranker = {each.name: each.learned_of(learned) for each in replay.rankers}
    groups = _track_groups(settings.mongo, index)
    return Stage(index, groups, by_ranker)


def _track_groups(mongo: MongoSettings, index: TrackIndex) -> TrackGroups:
    if mongo.uri is not None:
        return read_groups(worker_database(mongo), index)
    return _alone(index)


@lru_cache(maxsize=1)
def _alone(index: TrackIndex) -> TrackGroups:
    return create_groups(index.track_ids, {})


def groups_of(
    batches: Iterable[pa.RecordBatch], replay: Replay, stage: Stage
) -> Iterator[list[Listener]]:
    """Yield listeners whose lists are made together, as many as fit in memory."""
    group, n_entries = list[Listener](), 0
    for events in whole_keys(batches, "user_id"):
        kept = _remembered(events, replay.settings.mongo)
        for user_id, entries in entries_of(kept, replay.settings.mongo):
            group.append(
                create_listener(user_id, entries, replay.first, replay.last, stage)
            )
            n_entries += len(entries)
            if len(group) >= _MOST_LISTENERS or n_entries >= _MOST_ENTRIES:
                yield group
                group, n_entries = [], 0
    if group:
        yield group


def _remembered(events: pa.RecordBatch, mongo: MongoSettings) -> pa.RecordBatch:
    """Return the events without what is forgotten by now, as `rebuild` has it."""
    if mongo.uri is None:
        return events
    rules = read_rules(worker_database(mongo), set(events["user_id"].to_pylist()))
    if not rules:
        return events
    is_kept = [not is_forgotten(row, rules) for row in dicts(events)]
    return events.filter(pa.array(is_kept, pa.bool_()))

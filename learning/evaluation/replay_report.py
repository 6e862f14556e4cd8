"""Out of the listeners' sums: figures with intervals, gains, and what holds.

Each listener counts once, however much they play: figures are means of means.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from learning.evaluation.intervals import gain_of, interval_of, rounded
from learning.evaluation.rankers import Ranker
from learning.evaluation.sums import (
    COLD,
    LISTS,
    METRICS,
    SILENT,
    SKIPS,
    WARM,
    columns_of,
    coverage_of,
)
from learning.evaluation.verdicts import claim_of
from segue.errors import ModelError
from segue.trained_model import TrainedModel

_SLICES: Final[Mapping[str, tuple[str, ...]]] = {
    "all": (WARM, COLD),
    WARM: (WARM,),
    COLD: (COLD,),
}
_JUDGED_BY: Final = {"any": "ndcg", "discovery": "ndcg", SKIPS: "skip_hit_rate"}
_LOWER_IS_BETTER: Final = (SKIPS,)
_TASKS: Final = tuple(name for name in METRICS if name != SILENT)

Floats = NDArray[np.float64]


class ByListener(NamedTuple):
    """Sums of some listeners; `n` of them.

    Attributes
    ----------
    user_ids : ndarray of str, shape (n,)
        Ascending.
    n_plays : ndarray, int64, shape (n,)
        Of the task `lists`: how many lists.
    sums : ndarray, float64, shape (n, n_columns)
        Of `columns_of` the task.
    """

    user_ids: NDArray[np.str_]
    n_plays: NDArray[np.int64]
    sums: Floats

    def means(self, column: int) -> Floats:
        """Return each listener's mean."""
        return np.asarray(self.sums[:, column] / self.n_plays)


Figures = Mapping[tuple[str, str, str], ByListener]
"""By ranker, task and slice."""


def report_of(
    told: pa.Table,
    rankers: Sequence[Ranker],
    facts: Mapping[str, Any],
    model: TrainedModel | None,
    n_tracks: int,
) -> dict[str, Any]:
    """Return the report of a replay.

    Parameters
    ----------
    told : Table
        Of shape `TOLD`.
    facts : mapping
        What was replayed.
    n_tracks : int
        Of the index.

    Raises
    ------
    ModelError
        When no play says something.
    """
    figures = _figures(told, [each.name for each in rankers])
    counts = _counts(told, rankers[0].name, figures)
    if not counts["n_for"] + counts["n_against"]:
        raise ModelError(
            f"no play of {facts['first_date']} to {facts['last_date']} says something; "
            "a replay needs plays that were heard out, or skipped"
        )
    by_ranker = {
        each.name: {
            "settings": _settings_of(each, model),
            "tasks": _tasks(figures, each.name, coverage_of(told, each.name, n_tracks)),
        }
        for each in rankers
    }
    pairs = [(other.name, rankers[0].name) for other in rankers[1:]]
    return {
        "replay": {
            "data": {**facts, **counts},
            "rankers": by_ranker,
            "gains": [gain for pair in pairs for gain in _gains(figures, *pair)],
            "verdicts": [each for pair in pairs for each in _verdicts(figures, *pair)],
        }
    }


def _figures(told: pa.Table, rankers: Sequence[str]) -> dict[Any, ByListener]:
    of_listeners = told.filter(told["user_id"].is_valid())
    return {
        (ranker, task, part): _by_listener(of_listeners, ranker, task, slices)
        for ranker in rankers
        for task in METRICS
        for part, slices in _SLICES.items()
    }


def _by_listener(
    told: pa.Table, ranker: str, task: str, slices: Sequence[str]
) -> ByListener:
    is_one = pc.and_(pc.equal(told["ranker"], ranker), pc.equal(told["task"], task))
    chosen = pc.and_(is_one, pc.is_in(told["slice"], pa.array(slices)))
    rows = told.filter(chosen)
    names = np.array(rows["user_id"].to_pylist(), dtype=np.str_)
    user_ids, places = np.unique(names, return_inverse=True)
    n_plays = np.zeros(len(user_ids), dtype=np.int64)
    np.add.at(n_plays, places.ravel(), rows["n"].to_numpy())
    sums = np.zeros((len(user_ids), len(columns_of(task))))
    flat = rows["sums"].combine_chunks().flatten().to_numpy()
    np.add.at(sums, places.ravel(), flat.reshape(len(rows), sums.shape[1]))
    return ByListener(user_ids, n_plays, sums)


def _counts(told: pa.Table, ranker: str, figures: Figures) -> dict[str, int]:
    """Return how many plays and listeners there were; the same for each ranker."""
    n_for, n_against, n_silent = (
        int(figures[ranker, task, "all"].n_plays.sum())
        for task in ("any", SKIPS, SILENT)
    )
    return {
        "n_listeners": len(pc.unique(told["user_id"].drop_null())),
        "n_plays": n_for + n_against + n_silent,
        "n_for": n_for,
        "n_against": n_against,
        "n_silent": n_silent,
    }


def _settings_of(ranker: Ranker, model: TrainedModel | None) -> dict[str, Any]:
    uses = model if ranker.has_model else None
    return {
        "changed": dict(ranker.changed),
        "taste": ranker.taste.model_dump(),
        "model": None if uses is None else uses.version,
        "blend": None if uses is None else ranker.blend_of(uses.blend)._asdict(),
    }


def _tasks(
    figures: Figures, ranker: str, coverage: float
) -> dict[str, dict[str, dict[str, Any]]]:
    tasks = {
        task: {part: _told(task, figures[ranker, task, part]) for part in _SLICES}
        for task in _TASKS
    }
    tasks[LISTS]["all"]["coverage"] = {"value": round(coverage, 6)}
    return tasks


def _told(task: str, each: ByListener) -> dict[str, Any]:
    told: dict[str, Any] = {
        "n": len(each.user_ids),
        "n_lists" if task == LISTS else "n_plays": int(each.n_plays.sum()),
    }
    for column, name in enumerate(columns_of(task)):
        if name in METRICS[task]:
            told[name] = rounded(interval_of(each.means(column))._asdict())
        else:
            told[name] = int(each.sums[:, column].sum())
    return told


def _gains(figures: Figures, name: str, other: str) -> Iterator[dict[str, Any]]:
    for task in _TASKS:
        for part in _SLICES:
            for metric in METRICS[task]:
                values = _paired(figures, task, part, metric, (name, other))
                if len(values[name]):
                    gain = gain_of(values[name], values[other])
                    yield {
                        **{"task": task, "slice": part, "metric": metric},
                        **rounded(gain._asdict()),
                        "n": len(values[name]),
                    }


def _verdicts(figures: Figures, name: str, other: str) -> Iterator[dict[str, Any]]:
    """Yield whether a ranker is better than another; skips it had fewer of, better."""
    for task, metric in _JUDGED_BY.items():
        for part in _SLICES:
            values = _paired(figures, task, part, metric, (name, other))
            if len(values[name]):
                if task in _LOWER_IS_BETTER:
                    values = {key: -each for key, each in values.items()}
                claim = claim_of(name, other, values, or_equal=False)
                yield {"task": task, "slice": part, "metric": metric, **claim}


def _paired(
    figures: Figures, task: str, part: str, metric: str, names: tuple[str, str]
) -> dict[str, Floats]:
    """Return the means of the listeners that both rankers have, in the same order."""
    column = METRICS[task].index(metric)
    both = [figures[name, task, part] for name in names]
    _, *places = np.intersect1d(
        both[0].user_ids, both[1].user_ids, assume_unique=True, return_indices=True
    )
    return {
        name: each.means(column)[at]
        for name, each, at in zip(names, both, places, strict=True)
    }

"""One evaluation: fit, tune, judge, and say what holds."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learning.evaluation.datasets import Dataset
from learning.evaluation.intervals import interval_of, rounded
from learning.evaluation.judging import (
    ANY,
    DISCOVERY,
    NEW_ARTISTS,
    NOTHING_HEARD,
    Figures,
    Ground,
    K,
    Shares,
    TaskMaker,
    going_on,
    ground_of,
    judge_all,
    tasks_of,
)
from learning.evaluation.methods import Fitting, fit_all, with_sessions
from learning.evaluation.metrics import accuracy
from learning.evaluation.sessions import (
    session_grounds,
)
from learning.evaluation.splits import Split, split, together
from learning.evaluation.verdicts import JUDGED, verdicts_of
from models.recommenders.base import Recommender, best_items
from models.recommenders.hybrid import learn_shares
from models.recommenders.plays import Histories
from models.scaling import over_greatest
from segue.errors import ModelError

PRESENT_SHARE: Final = 0.1
FUTURE_SHARE: Final = 0.1
_TUNED_LISTENERS: Final = 500
_SEED: Final = 3
_FALLBACK: Final = "popular"
_UNTUNED: Final = ("random",)
_FEW: Final = 30
_TUNED_CELLS: Final = 30_000_000

Floats = NDArray[np.float64]


def evaluate(
    dataset: Dataset, fitting: Fitting, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Return the report of all methods on a data set, as JSON takes it.

    Raises
    ------
    ModelError
        When nobody of the past plays anything in the future.
    """
    periods = split(dataset, PRESENT_SHARE, FUTURE_SHARE)
    if not (periods.future.weights > 0).any():
        raise ModelError(
            f"{dataset.name}: nothing that is liked in the last tenth of the plays; an "
            "evaluation needs listeners who go on"
        )
    tell("fit to the past")
    learned = [
        each for each in fit_all(periods.past, fitting) if each.name not in _UNTUNED
    ]
    tell("tune on the present")
    present = ground_of(periods.past, periods.present, None)
    shares = {DISCOVERY: _shares(learned, exam_of(present, DISCOVERY))}
    shares[ANY] = _shares(learned, exam_of(present, ANY))
    shares[NEW_ARTISTS] = shares[DISCOVERY]
    if dataset.has_times:
        for name, each in session_grounds(periods.past, periods.present):
            exam = exam_of(each, name, going_on(name))
            shares[name] = _shares(with_sessions(learned), exam)
    tell("fit to past and present")
    before = together(periods.past, periods.present)
    methods = fit_all(before, fitting)
    ground = ground_of(before, periods.future, dataset.artists)
    tell("judge by the future")
    figures, covered = judge_all(methods, Shares(shares, _FALLBACK), ground)
    if dataset.has_times:
        methods = with_sessions(methods)
        for name, each in session_grounds(before, periods.future):
            hybrid = Shares(shares, _FALLBACK)
            more, covers = judge_all(methods, hybrid, each, going_on(name))
            figures, covered = figures | more, covered | covers
    return {
        "data": _facts(dataset, periods) | _asked(ground),
        "k": K,
        "shares": {
            each: shares[each] for each in dict.fromkeys(t for t, *_ in figures)
        },
        "methods": _told(figures, covered),
        "verdicts": verdicts_of(figures, has_repeats=ground.has_repeats),
    }


class Exam(NamedTuple):
    """Listeners of a later period, how good scores of theirs are, and how many ask."""

    history: Histories
    judge: Callable[[Floats], Floats]
    n_listeners: int


def exam_of(ground: Ground, name: str, ask: TaskMaker = tasks_of) -> Exam | None:
    """Return the exam by the question of that name about some listeners.

    It is None where the ground has no answer for anybody.
    """
    history = ground.heard.pick(rows := _sample(ground))
    asked_for = [each for each in ask(ground, rows, history) if each.name == name]
    if not asked_for or not asked_for[0].relevant.any():
        return None
    (task,) = asked_for
    asked = np.flatnonzero(task.relevant.any(axis=1))

    def judge(scores: Floats) -> Floats:
        lists = best_items(scores[asked], K, task.excluded[asked], rows[asked])
        return accuracy(lists, task.relevant[asked])[JUDGED]

    return Exam(history, judge, len(asked))


def _shares(methods: Sequence[Recommender], exam: Exam | None) -> dict[str, float]:
    if exam is None:
        return {_FALLBACK: 1.0}
    scores = {each.name: over_greatest(each.scores(exam.history)) for each in methods}
    return learn_shares(scores, exam.judge)


def _sample(ground: Ground) -> NDArray[np.intp]:
    rows = ground.listeners()
    most = min(_TUNED_LISTENERS, max(_FEW, _TUNED_CELLS // ground.wanted.shape[1]))
    if len(rows) <= most:
        return rows
    drawn = np.random.default_rng(_SEED).choice(rows, most, replace=False)
    return np.sort(drawn)


def _facts(dataset: Dataset, periods: Split) -> dict[str, Any]:
    is_play = dataset.plays.is_play
    n_plays = len(dataset.plays.weights) if is_play is None else int(is_play.sum())
    return {
        "name": dataset.name,
        "n_listeners": dataset.plays.n_listeners,
        "n_items": dataset.plays.n_items,
        "n_plays": n_plays,
        "n_reactions": len(dataset.plays.weights) - n_plays,
        "n_refused": dataset.n_refused,
        "split": periods.how,
        "n_past": len(periods.past.weights),
        "n_present": len(periods.present.weights),
        "n_future": len(periods.future.weights),
    }


def _asked(ground: Ground) -> dict[str, int]:
    n_heard = np.diff(ground.heard.last_s.indptr)[ground.listeners()]
    return {
        "n_asked": len(n_heard),
        "n_asked_new": int((n_heard == 0).sum()),
        "has_repeats": ground.has_repeats,
    }


def _told(
    figures: Figures, covered: dict[tuple[str, str], float]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return by method, task and slice each metric with its interval."""
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for (task, part, name), metrics in figures.items():
        of_method = told.setdefault(name, {}).setdefault(task, {})
        of_method[part] = {"n": len(metrics[JUDGED])} | {
            metric: rounded(interval_of(values)._asdict())
            for metric, values in metrics.items()
            if metric != NOTHING_HEARD
        }
    for (task, name), value in covered.items():
        told[name][task]["all"]["coverage"] = {"value": value}
    return told

"""One evaluation: fit, tune, judge, and say what holds."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from learning.evaluation.datasets import Dataset
from learning.evaluation.intervals import gain_of, interval_of
from learning.evaluation.judging import (
    ANY,
    DISCOVERY,
    HYBRID,
    NEW_ARTISTS,
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
from learning.evaluation.methods import BASELINES, Fitting, fit_all, with_sessions
from learning.evaluation.metrics import accuracy
from learning.evaluation.sessions import (
    CONTINUATION,
    RADIO,
    session_grounds,
)
from learning.evaluation.splits import Split, split, together
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
_JUDGED: Final = "ndcg"
_FEW: Final = 30
_TUNED_CELLS: Final = 30_000_000
_BEATEN: Final = {
    DISCOVERY: ("popular", "trending"),
    ANY: ("popular", "trending", "last heard"),
    NEW_ARTISTS: ("popular", "trending"),
    CONTINUATION: ("popular", "trending", "last heard"),
    RADIO: ("popular", "trending"),
}

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
    tell("fit to the past")
    learned = [
        each for each in fit_all(periods.past, fitting) if each.name not in _UNTUNED
    ]
    tell("tune on the present")
    present = ground_of(periods.past, periods.present, None)
    shares = {
        each: _shares(learned, exam_of(present, each)) for each in (DISCOVERY, ANY)
    }
    shares[NEW_ARTISTS] = shares[DISCOVERY]
    if dataset.has_times:
        for name, each in session_grounds(periods.past, periods.present):
            exam = exam_of(each, name, going_on(name))
            shares[name] = _shares(with_sessions(learned), exam)
    tell("fit to past and present")
    before = together(periods.past, periods.present)
    methods = fit_all(before, fitting)
    ground = ground_of(before, periods.future, dataset.artists)
    if not len(ground.listeners()):
        raise ModelError(
            f"{dataset.name}: nothing that is liked in the last tenth of the plays; an "
            "evaluation needs listeners who go on"
        )
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
        "shares": shares,
        "methods": _told(figures, covered),
        "verdicts": list(_verdicts(figures)),
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
    (task,) = (each for each in ask(ground, rows, history) if each.name == name)
    asked = np.flatnonzero(task.relevant.any(axis=1))
    if not len(asked):
        return None

    def judge(scores: Floats) -> Floats:
        lists = best_items(scores[asked], K, task.excluded[asked])
        return accuracy(lists, task.relevant[asked])[_JUDGED]

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
    return {
        "name": dataset.name,
        "n_listeners": dataset.plays.n_listeners,
        "n_items": dataset.plays.n_items,
        "n_plays": len(dataset.plays.weights),
        "n_refused": dataset.n_refused,
        "split": periods.how,
        "n_past": len(periods.past.weights),
        "n_present": len(periods.present.weights),
        "n_future": len(periods.future.weights),
    }


def _asked(ground: Ground) -> dict[str, int]:
    n_heard = np.diff(ground.heard.last_s.indptr)[ground.listeners()]
    return {"n_asked": len(n_heard), "n_asked_new": int((n_heard == 0).sum())}


def _told(
    figures: Figures, covered: dict[tuple[str, str], float]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return by method, task and slice each metric with its interval."""
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for (task, part, name), metrics in figures.items():
        of_method = told.setdefault(name, {}).setdefault(task, {})
        of_method[part] = {"n": len(next(iter(metrics.values())))} | {
            metric: rounded(interval_of(values)._asdict())
            for metric, values in metrics.items()
        }
    for (task, name), value in covered.items():
        told[name][task]["all"]["coverage"] = {"value": value}
    return told


def rounded(values: dict[str, float]) -> dict[str, float | None]:
    """Return numbers as JSON takes them; None for one that there is not."""
    return {k: None if math.isnan(v) else round(v, 6) for k, v in values.items()}


def _verdicts(figures: Figures) -> Iterator[dict[str, Any]]:
    """Yield what must hold of each task and slice, and whether it does."""
    for task, part in dict.fromkeys((task, part) for task, part, _ in figures):
        if _is_everybody(figures, task, part):
            continue
        values = {
            name: metrics[_JUDGED]
            for (t, p, name), metrics in figures.items()
            if (t, p) == (task, part) and len(metrics[_JUDGED])
        }
        of = {"task": task, "slice": part}
        to_beat = [name for name in _BEATEN[task] if name in values]
        for name in sorted(values.keys() - {*BASELINES}):
            for other in to_beat:
                yield of | claim_of(name, other, values, or_equal=False)
        single = sorted(values.keys() - {HYBRID})
        if single:
            best = max(single, key=lambda name: float(values[name].mean()))
            yield of | claim_of(HYBRID, best, values, or_equal=True)


def _is_everybody(figures: Figures, task: str, part: str) -> bool:
    """Whether a slice of listeners is all of them, and says nothing of its own."""
    of_part = figures[task, part, HYBRID][_JUDGED]
    of_all = figures[task, "all", HYBRID][_JUDGED]
    return part in {"warm", "cold"} and len(of_part) == len(of_all)


def claim_of(
    name: str, other: str, values: Mapping[str, Floats], *, or_equal: bool
) -> dict[str, Any]:
    """Return the claim that a method is better than another, and whether it holds.

    Parameters
    ----------
    values : mapping
        By method's name, a figure of each listener.
    or_equal : bool
        Whether it need not be better than by chance.
    """
    gain, n = gain_of(values[name], values[other]), len(values[name])
    holds = gain.value >= 0 if or_equal else gain.low > 0
    why = None
    if n < _FEW:
        why = f"only {n} listeners: too few to tell"
    elif not holds:
        why = "it is worse" if gain.high < 0 else "the gain's interval reaches 0"
    return {
        "claim": f"{name} {'≥' if or_equal else '>'} {other}",
        "holds": why is None,
        "gain": rounded(gain._asdict()),
        "n": n,
        "why": why,
    }

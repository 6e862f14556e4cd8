"""What must hold of methods, whether it does, and why not."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from learning.evaluation.intervals import gain_of, rounded
from learning.evaluation.judging import (
    ANY,
    DISCOVERY,
    HYBRID,
    NEW_ARTISTS,
    NOTHING_HEARD,
    Figures,
)
from learning.evaluation.methods import BASELINES
from learning.evaluation.sessions import CONTINUATION, RADIO

JUDGED: Final = "ndcg"
"""The metric that claims are about."""
_FEW: Final = 30
_LAST: Final = "last heard"
_BEATEN: Final = {
    DISCOVERY: ("random", "popular", "trending"),
    ANY: ("random", "popular", "trending", _LAST),
    NEW_ARTISTS: ("random", "popular", "trending"),
    CONTINUATION: ("random", "popular", "trending", _LAST),
    RADIO: ("random", "popular", "trending"),
}

Floats = NDArray[np.float64]


def verdicts_of(figures: Figures, *, has_repeats: bool) -> list[dict[str, Any]]:
    """Return what must hold of each task and slice, and whether it does.

    Parameters
    ----------
    has_repeats : bool
        Without, nobody plays anything again: to beat what was last heard proves
        nothing, and is not claimed.
    """
    return list(_claims(figures, has_repeats))


def _claims(figures: Figures, has_repeats: bool) -> Iterator[dict[str, Any]]:
    for task, part in dict.fromkeys((task, part) for task, part, _ in figures):
        if _is_everybody(figures, task, part):
            continue
        values = {
            name: metrics[JUDGED]
            for (t, p, name), metrics in figures.items()
            if (t, p) == (task, part) and len(metrics[JUDGED])
        }
        of = {"task": task, "slice": part}
        if not values:
            continue
        n_new = int(figures[task, part, HYBRID][NOTHING_HEARD].sum())
        to_beat = [name for name in _BEATEN[task] if name in values]
        for name in sorted(values.keys() - {*BASELINES}):
            for other in to_beat:
                if has_repeats or other != _LAST:
                    yield of | claim_of(
                        name, other, values, or_equal=False, n_new=n_new
                    )
        single = sorted(values.keys() - {HYBRID})
        best = max(single, key=lambda name: float(values[name].mean()))
        yield of | claim_of(HYBRID, best, values, or_equal=True, n_new=n_new)


def _is_everybody(figures: Figures, task: str, part: str) -> bool:
    """Whether a slice of listeners is all of them, and says nothing of its own."""
    of_part = figures[task, part, HYBRID][JUDGED]
    of_all = figures[task, "all", HYBRID][JUDGED]
    return part in {"warm", "cold"} and len(of_part) == len(of_all)


def claim_of(
    name: str,
    other: str,
    values: Mapping[str, Floats],
    *,
    or_equal: bool,
    n_new: int = 0,
) -> dict[str, Any]:
    """Return the claim that a method is better than another, and whether it holds.

    Parameters
    ----------
    values : mapping
        By method's name, a figure of each listener.
    or_equal : bool
        Whether it need not be better than by chance.
    n_new : int
        Of how many of the listeners nothing is known.
    """
    ours, theirs = values[name], values[other]
    gain, n = gain_of(ours, theirs), len(ours)
    holds = gain.value >= 0 if or_equal else gain.low > 0
    why = None
    if n < _FEW:
        why = f"only {n} listener{'' if n == 1 else 's'}: too few to tell"
    elif not ours.any() and not theirs.any():
        why = "neither finds anything"
    elif not holds:
        why = _cause(gain.high < 0, n_new, n)
    return {
        "claim": f"{name} {'≥' if or_equal else '>'} {other}",
        "holds": why is None,
        "gain": rounded(gain._asdict()),
        "n": n,
        "why": why,
        "is_same": bool((ours == theirs).all()),
    }


def _cause(is_worse: bool, n_new: int, n: int) -> str:
    why = "it is worse" if is_worse else "the gain's interval reaches 0"
    if n_new > n / 2:
        return f"{why}: nothing is known of {n_new} of the {n}, only what others play"
    return why


def summary_of(verdicts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return for each method how many of its claims hold, and why the others do not.

    Returns
    -------
    list of dict
        `method`, `n`, `n_hold`, `n_worse`, `n_few` (too few listeners to tell), and
        `n_open`: neither better nor worse for sure.
    """
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in verdicts:
        name = each["claim"].split(" > ")[0].split(" ≥ ")[0]
        counts[name]["n"] += 1
        counts[name][_outcome(each)] += 1
    kinds = ("n", "n_hold", "n_worse", "n_few", "n_open")
    return [
        {"method": name, **{kind: found[kind] for kind in kinds}}
        for name, found in sorted(counts.items())
    ]


def _outcome(verdict: Mapping[str, Any]) -> str:
    if verdict["holds"]:
        return "n_hold"
    if verdict["n"] < _FEW:
        return "n_few"
    return "n_worse" if verdict["gain"]["high"] < 0 else "n_open"

"""What a replay told, as a page and as lines."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from learning.evaluation.page import rendered
from learning.evaluation.rounds import Place
from learning.evaluation.sums import LISTS, METRICS, SKIPS
from segue.trained_model import BLENDED

_TEMPLATE: Final = "replay.html"
_MEANINGS: Final = {
    "any": "Was what they played next, and heard out, in the list?",
    "discovery": "… of tracks that they never had played before?",
    SKIPS: "Was what they skipped in the list? The fewer the better.",
    LISTS: "The share of a list that was not in the one before it, and the share of "
    "the catalogue that any list had.",
}


def render_replay(told: Mapping[str, Any]) -> str:
    """Return the page of what `replay` told; all text in it is escaped."""
    return rendered(
        _TEMPLATE,
        told=told["replay"],
        tasks=_tasks(told["replay"]["rankers"]),
        meanings=_MEANINGS,
        metrics=METRICS,
        places=[str(each) for each in Place],
        parts=BLENDED,
    )


def _tasks(rankers: Mapping[str, Any]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return by task and slice the rankers' rows, without those of nobody."""
    tasks: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name, each in rankers.items():
        for task, slices in each["tasks"].items():
            for part, row in slices.items():
                if row["n"]:
                    rows = tasks.setdefault(task, {}).setdefault(part, [])
                    rows.append({"ranker": name, "coverage": None, "n_plays": 0, **row})
    for task, slices in tasks.items():
        for rows in slices.values():
            scale = max(row[METRICS[task][-1]]["high"] for row in rows) or 1.0
            for row in rows:
                row["scale"] = scale
    return tasks


def lines_of(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was replayed, and each ranker's figures of all listeners."""
    data = told["replay"]["data"]
    yield (
        f"{data['first_date']} to {data['last_date']}: {data['n_plays']} plays by "
        f"{data['n_listeners']} listeners, {data['n_for']} for their track, "
        f"{data['n_against']} against, {data['n_silent']} say nothing"
    )
    if data["no_model"]:
        yield f"▲ without a model: {data['no_model']}"
    for name, each in told["replay"]["rankers"].items():
        for task, slices in each["tasks"].items():
            if slices["all"]["n"]:
                yield f"{name}, {task}: {_figures(task, slices['all'])}"


def _figures(task: str, row: Mapping[str, Any]) -> str:
    told = [
        f"{metric} {row[metric]['value']:.4f} "
        f"({row[metric]['low']:.4f} to {row[metric]['high']:.4f})"
        for metric in METRICS[task]
    ]
    if task == LISTS:
        return ", ".join([*told, f"coverage {row['coverage']['value']:.1%}"])
    return ", ".join([*told, *(f"{place} {row[place]}" for place in Place)])

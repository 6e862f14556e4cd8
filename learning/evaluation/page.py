"""An evaluation as one HTML file that needs nothing else: no script, no network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from learning.evaluation.verdicts import summary_of
from segue.errors import ModelError
from segue.files import write_atomically
from segue.palette import COLOURS

_TEMPLATE: Final = "evaluation.html"
_MEANINGS: Final = {
    "discovery": "Will they play it, and never had before?",
    "any": "What will they play next, known or not?",
    "continuation": "The first half of a session was heard: what is in the other?",
    "radio": "Nothing is known but the first track of a session: what comes in it?",
    "new artists": "Will they play it, by an artist whom they never had heard?",
}


def write_page(path: Path, page: str) -> None:
    """Write a page.

    Raises
    ------
    ModelError
        When it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as file:
            file.write(page.encode("utf-8", "replace"))
    except OSError as error:
        raise ModelError(
            f"cannot write the report to {path}: {error.strerror}; name another file"
        ) from error


def render_page(told: Mapping[str, Any]) -> str:
    """Return the page of what `evaluate` told; all text in it is escaped."""
    tasks = _tasks(told["methods"])
    summary = summary_of(told["verdicts"])
    meanings = _MEANINGS
    return rendered(
        _TEMPLATE, told=told, tasks=tasks, meanings=meanings, summary=summary
    )


def rendered(template: str, **values: Any) -> str:
    """Return a page of one of our templates, in our colours; all text is escaped."""
    environment = Environment(
        loader=PackageLoader("learning"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values, colours=COLOURS)


def _tasks(
    methods: Mapping[str, Any],
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return by task and slice the methods' rows, the best first."""
    tasks: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for name, of_tasks in methods.items():
        for task, slices in of_tasks.items():
            for part, metrics in slices.items():
                if metrics["n"]:
                    rows = tasks.setdefault(task, {}).setdefault(part, [])
                    rows.append({"method": name, **metrics})
    for slices in tasks.values():
        for rows in slices.values():
            rows.sort(key=lambda row: (-row["ndcg"]["value"], row["method"]))
            scale = max(row["ndcg"]["high"] for row in rows) or 1.0
            for row in rows:
                row["scale"] = scale
    return tasks

"""What was found offline: models that were trained, and the last evaluations."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from dash import html

from dashboard.analytics.parts import NONE, scrolled, table
from dashboard.dates import day, moment
from segue.builds import builds_of, current_version
from segue.errors import ModelError
from segue.reports import KINDS, Report, read_report
from segue.trained_model import FACTS, FOLDER

_MOST_MODELS: Final = 10
_MOST_ROWS: Final = 60
_MOST_BYTES: Final = 1 << 20
_SHOWN_CHARS: Final = 60
_TITLES: Final = {
    "evaluation": "Methods on the last tenth of the plays",
    "replay": "Lists of the stream's own code, replayed",
}
_METRICS: Final = ("hit_rate", "ndcg", "coverage", "popularity_share", "freshness")
_HEADS: Final = (
    *("Method", "Task", "Listeners", "Hit rate", "nDCG", "Coverage", "Popular"),
    "Fresh",
)
_NOT_WHOLE: Final = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError),
)


@dataclass(frozen=True, slots=True)
class Offline:
    """What was found, and what could not be read.

    Attributes
    ----------
    models : sequence of mapping
        Facts of the newest, with `version` and `is_current`; the newest first.
    damaged : sequence of str
        A sentence each.
    """

    models: list[Mapping[str, Any]]
    reports: list[Report]
    damaged: list[str]


def read_offline(home: Path) -> Offline:
    """Read the newest models and the last report of each kind."""
    found = Offline([], [], [])
    folder = home / FOLDER
    current = current_version(folder)
    for build in reversed(builds_of(folder)[-_MOST_MODELS:]):
        try:
            facts = _facts(build / FACTS)
            found.models.append(
                {**facts, "version": build.name, "is_current": build.name == current}
            )
        except _NOT_WHOLE as error:
            found.damaged.append(
                f"The model {build.name[:_SHOWN_CHARS]} cannot be shown: its {FACTS} "
                f"is damaged ({type(error).__name__})."
            )
    for kind in KINDS:
        try:
            report = read_report(home, kind)
        except ModelError as error:
            found.damaged.append(f"{str(error)[:1].upper()}{str(error)[1:]}.")
        else:
            found.reports.extend([] if report is None else [report])
    return found


def body(found: Offline) -> list[Any]:
    """Return what is shown of it."""
    said: list[Any] = [html.P(each, className="note") for each in found.damaged]
    if not found.models:
        said.append(html.P("No model was trained yet: `segue train` does it."))
    else:
        models = [_model_row(each) for each in found.models]
        heads = (
            "Model",
            "Trained, UTC",
            "Of dates",
            "Events",
            "Listeners",
            "nDCG, blend",
        )
        caption = "The newest models; nDCG of the blend where its shares were learned"
        said.append(scrolled("offline-models", "Models", table(caption, heads, models)))
    if not found.reports:
        words = "No evaluation was kept yet: `segue evaluate` does it."
        said.append(html.P(words))
    return [*said, *(_report(each) for each in found.reports)]


def _facts(path: Path) -> Mapping[str, Any]:
    """Read the facts of a model, and look whether they can be shown."""
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path} is too large")
    facts = json.loads(path.read_bytes())
    _model_row({**facts, "version": "", "is_current": False})
    return dict(facts)


def _model_row(facts: Mapping[str, Any]) -> tuple[str, ...]:
    data, metrics = facts["data"], facts.get("metrics")
    blend = metrics["ndcg"]["blend"] if metrics else None
    return (
        f"{facts['version']}{' (current)' if facts['is_current'] else ''}",
        _moment(facts["trained_at"]),
        _days(data),
        f"{int(data['n_events']):,}",
        f"{int(data['n_listeners']):,}",
        _interval(blend),
    )


def _report(report: Report) -> html.Div:
    try:
        rows = [*_rows(report)]
        name = f"offline-{report.kind}"
        cut = "" if len(rows) <= _MOST_ROWS else f", the first {_MOST_ROWS} rows"
        caption = f"{_of_what(report)}; made {_moment(report.made_at)} UTC{cut}"
        shown: Any = scrolled(
            name, _TITLES[report.kind], table(caption, _HEADS, rows[:_MOST_ROWS])
        )
    except _NOT_WHOLE as error:
        shown = html.P(
            f"This report is damaged ({type(error).__name__}): `segue evaluate` makes "
            "another.",
            className="note",
        )
    return html.Div([html.H3(_TITLES[report.kind]), shown])


def _of_what(report: Report) -> str:
    """Return what was judged by, at the head of a caption."""
    if report.kind == "replay":
        days = _days(report.found["replay"]["data"])
        return f"Means over listeners, of the plays of {days}"
    return f"Means over listeners of {_text(report.found['data']['name'])}"


def _rows(report: Report) -> Iterator[tuple[str, ...]]:
    found = report.found
    if report.kind == "replay":
        by_name = {
            f"ranker {name}": each["tasks"]
            for name, each in found["replay"]["rankers"].items()
        }
    else:
        by_name = found["methods"]
    for name, tasks in by_name.items():
        for task, slices in tasks.items():
            told = slices["all"]
            cells = (_interval(told.get(metric)) for metric in _METRICS)
            yield _text(name), _text(task), f"{int(told.get('n', 0)):,}", *cells


def _interval(told: Any) -> str:
    """Return a mean with its interval, where there are these."""
    if told is None:
        return NONE
    if not isinstance(told, Mapping):  # of an older Segue
        return f"{float(told):.3f}"
    if told["value"] is None:
        return NONE
    value = f"{float(told['value']):.3f}"
    if told.get("low") is None or told.get("high") is None:
        return value
    return f"{value} ({float(told['low']):.3f} to {float(told['high']):.3f})"


def _moment(told: Any) -> str:
    return moment(datetime.fromisoformat(told).astimezone(UTC))


def _days(data: Mapping[str, Any]) -> str:
    ends = (data["first_date"], data["last_date"])
    return " to ".join(day(date.fromisoformat(each)) for each in ends)


def _text(told: Any) -> str:
    return str(told)[:_SHOWN_CHARS]

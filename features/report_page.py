"""A report as one HTML file that needs nothing else: no network, no other file.

Titles, folders and messages are text from strangers: the template escapes all it is
given but figures, and the page may load and send nothing.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.io import to_html
from plotly.offline import get_plotlyjs

from features.health import SILENT_DB
from features.report import Report, create_report
from features.report_figures import (
    FOLDER_COLOURS,
    OTHER_FOLDERS,
    drift_figure,
    duration_figure,
    duration_names,
    hub_figure,
    map_figure,
    retrieval_figure,
)
from features.spec import FeatureSpec
from features.verdicts import percent
from segue.audio_reports import HIGH_SKEW, LARGE_SHIFT
from segue.errors import LibraryError
from segue.files import write_atomically
from segue.palette import COLOURS
from segue.settings import Settings

MAX_ROWS: Final = 20
"""Most rows of a table of the page."""

_MAX_CHARS: Final = 60
_TEMPLATE: Final = "report.html"
_STILL: Final = {"displayModeBar": False, "responsive": True}
_ZOOM: Final = {
    "displaylogo": False,
    "modeBarButtons": [["zoomIn2d", "zoomOut2d", "resetScale2d"]],
    "responsive": True,
    "scrollZoom": True,
}


def write_report(
    settings: Settings,
    path: Path,
    report: Callable[[str], None],
    spec: FeatureSpec | None = None,
) -> Report:
    """Write the report on the feature table and the current index to `path`.

    Parameters
    ----------
    path : Path
        HTML file; its folder is made where there is none.
    report : callable
        Gets a line for each stage.
    spec : FeatureSpec, optional
        Of the table; default is the current one.

    Raises
    ------
    LibraryError
        When there is nothing to report on, or `path` cannot be written.
    IndexMissingError
        When no index was built.
    """
    made = create_report(settings, spec, report)
    page = render_report(made)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as file:
            file.write(page.encode("utf-8", "replace"))
    except OSError as error:
        raise LibraryError(
            f"cannot write the report to {path}: {error.strerror}; name another file"
        ) from error
    return made


def render_report(report: Report) -> str:
    """Return the page of a report."""
    environment = Environment(
        loader=PackageLoader("features"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(tail=_tail, clock=_clock, percent=percent)
    return environment.get_template(_TEMPLATE).render(
        report=report,
        figures=_figures(report),
        plotly=Markup(get_plotlyjs()),  # noqa: S704  # not from strangers
        colours=COLOURS,
        folder_colours=FOLDER_COLOURS,
        other_folders=OTHER_FOLDERS,
        duration_names=duration_names,
        max_rows=MAX_ROWS,
        silent_db=SILENT_DB,
        high_skew=HIGH_SKEW,
        large_shift=LARGE_SHIFT,
    )


def _figures(report: Report) -> dict[str, Markup]:
    figures = {
        "hubs": _as_html("hubs", hub_figure(report.hubs), _STILL),
        "durations": _as_html("durations", duration_figure(report.audio), _STILL),
        "map": _as_html("map", map_figure(report.catalogue_map), _ZOOM),
    }
    if report.retrieval is not None:
        figure = retrieval_figure(report.retrieval)
        figures["retrieval"] = _as_html("retrieval", figure, _STILL)
    if report.drift is not None:
        figures["drift"] = _as_html("drift", drift_figure(report.drift), _STILL)
    return figures


def _as_html(name: str, figure: go.Figure, config: dict[str, Any]) -> Markup:
    # Plotly writes `<`, `>` and `/` of its JSON as \u003c and so on
    text = to_html(
        figure,
        config=config,
        full_html=False,
        include_plotlyjs=False,
        div_id=f"figure-{name}",
    )
    return Markup(text)  # noqa: S704


def _tail(text: str, n_chars: int = _MAX_CHARS) -> str:
    """Return the end of a long text: there file names differ."""
    return text if len(text) <= n_chars else f"…{text[-n_chars:].lstrip()}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"

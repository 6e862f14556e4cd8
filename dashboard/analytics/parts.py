"""What the analysts' pages are put together from."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from dash import dcc, html

from dashboard.figures import CONFIG
from dashboard.marks import marks

_CELL: Final = {"type": "Td", "namespace": html.Td._namespace}
NONE: Final = "–"  # noqa: RUF001


def panel(title: str, content: Sequence[Any], width: str = "wide") -> html.Section:
    """Return a part of a page under its title."""
    return html.Section([html.H2(title), *content], className=f"panel {width}")


def graph(name: str, figure: Any, height: str) -> dcc.Graph:
    """Return the place of a figure."""
    return dcc.Graph(id=name, figure=figure, config=CONFIG, style={"height": height})


def scrolled(name: str, label: str, content: Any = None) -> html.Div:
    """Return the place of a table that may be wider than the page; keys scroll it.

    What is not given as `content` is live, and drawn by `browser/pages/components.js`.
    """
    live = marks(data_plain="") if content is None else {}
    return html.Div(
        content,
        id=name,
        className="scroll",
        role="region",
        tabIndex=0,
        **marks(aria_label=label),
        **live,
    )


def as_table(name: str, label: str) -> html.Details:
    """Return the place of a figure's numbers as a table, closed at first."""
    return html.Details([html.Summary("As a table"), scrolled(name, label)])


def table(
    caption: str, heads: Iterable[Any], rows: Iterable[Sequence[Any]]
) -> html.Table:
    """Return a table.

    Parameters
    ----------
    heads : iterable of str or html.Th
    """
    return html.Table(
        [
            html.Caption(caption),
            html.Thead(html.Tr([_head(each) for each in heads])),
            html.Tbody([html.Tr([_cell(each) for each in row]) for row in rows]),
        ]
    )


def tile(name: str, value: str, note: str) -> html.Div:
    """Return one figure with what it counts."""
    return html.Div(
        [
            html.P(name, className="tile-name"),
            html.P(value, className="tile-value"),
            html.P(note, className="tile-note"),
        ],
        className="tile",
    )


def trend(counts: Sequence[int]) -> html.Span:
    """Return the place of a small line; `browser/pages/sparks.js` draws it."""
    words = f"from {min(counts)} to {max(counts)} plays" if counts else "none"
    return html.Span(
        role="img",
        className="spark",
        **marks(data_spark=",".join(map(str, counts)), aria_label=words),
    )


def share(value: float | None) -> str:
    """Return a share as a percentage.

    Examples
    --------
    >>> share(0.125), share(None) == NONE
    ('12.5 %', True)
    """
    return NONE if value is None else f"{100 * value:.1f} %"


def _cell(content: Any) -> Any:
    # what `html.Td(content)` becomes in JSON: a page has thousands of them
    return {"props": {"children": content}, **_CELL}


def _head(head: Any) -> html.Th:
    return head if isinstance(head, html.Th) else html.Th(head, scope="col")

"""The analyst's page: plays, delays, the stream's health, and the ledger."""

from typing import Any

from dash import dcc, html

from dashboard import ids
from dashboard.figures import CONFIG, batch_figure, plays_figure
from dashboard.live import ANALYTICS
from dashboard.marks import marks


def layout() -> html.Div:
    """Return the page; its content comes by push."""
    return html.Div(
        [
            html.H1("Analytics"),
            html.Div(id=ids.TILES, className="tiles"),
            html.Div([_plays(), _ledger(), _stream()], className="panels"),
        ],
        **marks(data_live=ANALYTICS, data_title="Analytics"),
    )


def for_others() -> html.Div:
    """Return what is shown to those who may not see the page."""
    words = "This page is for analysts. An admin gives the role: segue account role."
    return html.Div(
        [html.H1("Analytics"), html.P(words, className="note")],
        **marks(data_title="Analytics"),
    )


def _plays() -> html.Section:
    return _panel(
        "Plays per minute",
        [
            _graph(ids.PLAYS_FIGURE, plays_figure([]), "220px"),
            html.Details(
                [html.Summary("As a table"), html.Div(id=ids.PLAYS_TABLE)],
            ),
        ],
        "wide",
    )


def _stream() -> html.Section:
    return _panel(
        "The stream",
        [
            _graph(ids.BATCH_FIGURE, batch_figure([]), "170px"),
            html.Div(id=ids.STREAM_TABLE, className="scroll"),
        ],
        "wide",
    )


def _ledger() -> html.Section:
    return _panel("Every message, accounted for", [html.Div(id=ids.LEDGER)], "narrow")


def _graph(name: str, figure: Any, height: str) -> dcc.Graph:
    return dcc.Graph(id=name, figure=figure, config=CONFIG, style={"height": height})


def _panel(title: str, content: list[Any], width: str) -> html.Section:
    return html.Section([html.H2(title), *content], className=f"panel {width}")

"""What the analysts' pages are put together from."""

import json

import pytest
from dash import dcc, html
from dash.development.base_component import Component
from plotly.utils import PlotlyJSONEncoder

from dashboard.analytics.parts import table
from dashboard.figures import CONFIG
from dashboard.marks import marks
from dashboard.views import as_text


def test_cells_are_sent_as_dash_sends_them() -> None:
    way = html.A("b", href="/b")
    told = as_text({"it": {"children": table("Letters", ("Letter",), [["a"], [way]])}})
    cells = as_text({"a": {"cell": html.Td("a")}, "b": {"cell": html.Td(way)}})
    for text in cells.values():
        assert text.removeprefix('{"cell":').removesuffix("}") in told["it"]


def test_components_are_sent_as_dash_says_them() -> None:
    named = marks(data_x="1", aria_label="told")
    part = html.Div(["a", html.B("b")], id="it", className="c", **named)
    sent = json.loads(as_text({"it": {"children": part}})["it"])["children"]
    assert sent == json.loads(json.dumps(part, cls=PlotlyJSONEncoder))
    assert sent["props"]["data-x"] == "1"


@pytest.mark.parametrize(
    "part",
    [
        dcc.Graph(id="g", figure={"data": [], "layout": {"a": [1]}}, config=CONFIG),
        html.Td("a", title=None, colSpan=2),
        html.Div([html.P(dcc.Input(id="i", type="text", value=None)), None]),
    ],
)
def test_any_component_is_sent_so(part: Component) -> None:
    sent = json.loads(as_text({"it": {"children": part}})["it"])["children"]
    assert sent == json.loads(json.dumps(part, cls=PlotlyJSONEncoder))

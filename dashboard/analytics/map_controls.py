"""What is chosen on the taste map's page: colours, layer, time and tracks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from dash import dcc, html

from dashboard.analytics import controls
from dashboard.analytics.answers import Answers
from dashboard.analytics.map_choice import COLOURINGS, LAYERS, MOVEMENTS
from dashboard.analytics.map_points import Labels, MapPoints
from dashboard.analytics.questions import Question
from dashboard.analytics.times import PRESETS
from dashboard.marks import marks
from dashboard.refusals import RefusedError

PATH: Final = "/analytics/map"
_MOST_CHOICES: Final = 200


async def choose(answers: Answers, question: Question, _now: datetime) -> list[Any]:
    """Return what may be chosen on the page."""
    try:
        points = await answers.maps.read()
    except RefusedError:  # the answer says so
        return [controls.presets(PATH, question.told, question.preset, [*PRESETS])]
    told = question.get
    styles, clusters = points.styles, points.clusters
    filters: list[Any] = [
        controls.select("style", "Style", _choices(styles), told("style")),
        controls.select("cluster", "Cluster", _choices(clusters), told("cluster")),
        _box(told("box")),
        *await controls.chosen_artist(PATH, question, answers.names),
    ]
    return [
        _tabs("Coloured by", "colour", COLOURINGS, question),
        *_layers(points, question),
        _tabs("What moves", "of", MOVEMENTS, question),
        *controls.controls(PATH, question, filters, "map"),
    ]


def _tabs(
    label: str, name: str, ways: Mapping[str, str], question: Question
) -> html.Nav:
    chosen = question.get(name) or next(iter(ways))
    return controls.tabs(
        label,
        [
            (text, question.href(PATH, **{name: word}), word == chosen)
            for word, text in ways.items()
        ],
    )


def _layers(points: MapPoints, question: Question) -> list[html.Nav]:
    there = {name: text for name, text in LAYERS.items() if name in points.places}
    # a rectangle is of one layer
    plain = question.about(box="")
    return [_tabs("Layer", "layer", there, plain)] if len(there) > 1 else []


def _choices(labels: Labels) -> controls.Choices:
    return [*zip(labels.keys, labels.names, strict=True)][:_MOST_CHOICES]


def _box(value: str) -> html.Label:
    name = "analysis-box"
    field = dcc.Input(
        id=name,
        name="box",
        type="text",
        value=value,
        placeholder="-2500, 0, 1000, 4000",
        autoComplete="off",
        maxLength=40,
    )
    text = "Rectangle: left, right, bottom, top"
    return html.Label(
        [text, field], htmlFor=name, **marks(title="From -10000 to 10000")
    )

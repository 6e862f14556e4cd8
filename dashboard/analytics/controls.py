"""What an analyst chooses: links and a form, whose state is the address."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dash import dcc, html

from dashboard.analytics.names import Names
from dashboard.analytics.questions import Question, address
from dashboard.analytics.times import PRESETS
from dashboard.marks import marks
from segue.activity import Kind

DOWNLOADS_PATH: Final = "/api/analytics"
FORMS: Final = ("csv", "parquet")
Choices = Sequence[tuple[str, str]]
"""Values and their names."""


def controls(
    path: str,
    question: Question,
    filters: Sequence[Any],
    *files: str,
    ranges: Sequence[str] = tuple(PRESETS),
) -> list[Any]:
    """Return everything that may be chosen.

    Parameters
    ----------
    filters : sequence of components
        Within the form, between times and button.
    files : str
        Names of the tables that may be downloaded.
    ranges : sequence of str
        Of `PRESETS`, those that are offered.
    """
    moments = {"from": "From", "to": "To"}
    return [
        presets(path, question.told, question.preset, ranges),
        html.Form(
            [
                *(_moment(name, text, question) for name, text in moments.items()),
                *filters,
                html.Button("Apply", type="submit", className="main-button"),
            ],
            action=path,
            method="get",
            className="query",
            **marks(data_query="", aria_label="Time and filters"),
        ),
        *([downloads(question, *files)] if files else []),
    ]


def presets(
    path: str, told: Mapping[str, str], preset: str, ranges: Sequence[str]
) -> html.Nav:
    """Return the ranges that end now, of which `preset` is meant where none is told."""
    is_free = "from" in told or "to" in told
    chosen = "" if is_free else told.get("range", preset)
    ways = [
        (name, address(path, {**told, "range": name, "from": "", "to": ""}))
        for name in ranges
    ]
    return tabs("Time range", [(n, href, n == chosen) for n, href in ways])


def tabs(label: str, ways: Sequence[tuple[str, str, bool]]) -> html.Nav:
    """Return links of which one is chosen: text, address, whether it is."""
    return html.Nav(
        [way(*each) for each in ways], className="choices", **marks(aria_label=label)
    )


def way(text: str, href: str, is_chosen: bool) -> html.A:
    """Return a link; the chosen one says so."""
    chosen = marks(aria_current="true") if is_chosen else {}
    return html.A(text, href=href, **chosen)


def select(
    name: str, label: str, choices: Choices, chosen: str, first: str = "All"
) -> html.Label:
    """Return a field with some choices, before which is that of none."""
    there = dict(choices)
    # what is chosen stays in the list, though nothing may be under it
    extra = [] if not chosen or chosen in there else [(chosen, chosen[:40])]
    options = [("", first), *choices, *extra]
    return html.Label(
        [
            label,
            html.Select(
                [
                    html.Option(text, value=value, selected=value == chosen)
                    for value, text in options
                ],
                name=name,
            ),
        ]
    )


async def chosen_artist(path: str, question: Question, names: Names) -> list[html.A]:
    """Return the artist that is chosen, as the way to choose all again."""
    key = question.get(Kind.ARTIST)
    if not key:
        return []
    named = await names.of(Kind.ARTIST, [key])
    text = f"Only {named[key].name} ✕"
    return [html.A(text, href=question.href(path, artist=""), className="chosen")]


def downloads(question: Question, *names: str) -> html.P:
    """Return the ways to tables as files."""
    ways: list[Any] = []
    for name in names:
        ways.append(f"· {name}: " if ways else f"Download {name}: ")
        for form in FORMS:
            href = question.href(f"{DOWNLOADS_PATH}/{name}.{form}")
            # a reader of links alone hears of which table it is
            label = marks(aria_label=f"{name.capitalize()} as {form.upper()}")
            # the answer names the file
            ways += [html.A(form.upper(), href=href, download="", **label), " "]
    return html.P(ways, className="facts")


def _moment(name: str, text: str, question: Question) -> html.Label:
    return html.Label(
        [
            f"{text}, UTC",
            dcc.Input(
                id=f"analysis-{name}",
                name=name,
                type="text",
                value=question.get(name),
                placeholder="2026-05-03T22:10Z",
                autoComplete="off",
                maxLength=40,
            ),
        ],
        htmlFor=f"analysis-{name}",
    )

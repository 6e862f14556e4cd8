"""The parts of the page of recommendations, and what they count in plain words."""

from typing import Any, Final

from dash import html

from dashboard import ids
from dashboard.analytics import quality_figures
from dashboard.analytics.parts import as_table, graph, panel, scrolled

_DEFINITIONS: Final = (
    (
        "Served",
        "a list, or what a radio plays next, was given to the page of its listener. "
        "What the player asks for on other pages, to go on with, was not. A "
        "list counts once for as long as it stays the same, when it was first shown. "
        "What newcomers see, a track of each style, is no recommendation.",
    ),
    (
        "Played",
        "a row whose track was begun from its list, by hand or as the player went on, "
        "however often. CTR is the share of "
        "rows that were played, hit rate that of lists with a row that was.",
    ),
    (
        "Completed, skipped, left",
        "rows whose track was so, as shares of the rows that were played; a track that "
        "was played twice may be two of them.",
    ),
    (
        "Rank",
        "the place in the list or, of a radio, in the answer in which the track came "
        "first. A radio is asked again and again for what comes next, so it has "
        "several rows of rank 1.",
    ),
    (
        "Part",
        "the part of a row's score that is greatest. Rows beyond rank 50 are in the "
        "sums alone.",
    ),
    (
        "Coverage",
        "different tracks shown, counted by a sketch (error about 1.6 %), of those in "
        "the catalogue.",
    ),
    (
        "Novelty",
        "the mean of -log2((n + 1) / (N + T)) over the rows: n of the N plays of the "
        "30 days before the date are of that track, and the catalogue has T tracks. "
        "Where there were no plays before, nothing is judged.",
    ),
    ("Fresh", "rows whose track was in no list of the listener on the 7 dates before."),
    (
        "Popular",
        "rows of the 1 % of the tracks played in these 30 days that were played most.",
    ),
    (
        "For how long",
        "what becomes of a list counts for 34 days after it was shown.",
    ),
)


def body() -> list[Any]:
    """Return the parts of the page, which are empty at first."""
    drawn = quality_figures
    funnel = drawn.funnel_figure([])
    nothing_yet = drawn.ranks_figure([], {})
    parts = drawn.parts_figure([], {})
    return [
        html.Div(id=ids.QUALITY_TILES, className="tiles quality-tiles"),
        html.Div(
            [
                panel(
                    "From served to completed",
                    _figure(ids.FUNNEL_FIGURE, funnel, ids.FUNNEL_TABLE, "Funnel"),
                    "half",
                ),
                panel(
                    "Recommended and organic",
                    [scrolled(ids.LISTED_TABLE, "Recommended and organic plays")],
                    "half",
                ),
                panel(
                    "Over time",
                    _figure(
                        ids.SERVED_FIGURE, nothing_yet, ids.SERVED_TABLE, "Over time"
                    ),
                ),
                panel(
                    "By rank",
                    _figure(ids.RANKS_FIGURE, nothing_yet, ids.RANKS_TABLE, "By rank"),
                    "half",
                ),
                panel(
                    "By part",
                    _figure(ids.PARTS_FIGURE, parts, ids.PARTS_TABLE, "By part"),
                    "half",
                ),
                panel(
                    "By model", [scrolled(ids.VERSIONS_TABLE, "What became by model")]
                ),
                panel("Offline evaluations", [html.Div(id=ids.OFFLINE)]),
                panel("What is counted", [_definitions()]),
            ],
            className="panels quality-panels",
        ),
    ]


def _figure(name: str, figure: Any, table_name: str, label: str) -> list[Any]:
    return [graph(name, figure, "240px"), as_table(table_name, label)]


def _definitions() -> html.Dl:
    pairs = [(html.Dt(name), html.Dd(text)) for name, text in _DEFINITIONS]
    return html.Dl([each for pair in pairs for each in pair], className="definitions")

"""Recommendations in numbers: sums in, tiles and tables out."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from dash import html

from dashboard.analytics.names import NO_SURFACE
from dashboard.analytics.parts import NONE, share, table, tile
from dashboard.analytics.served import NO_MODEL
from dashboard.dates import moment
from segue.served import OF_ROWS, Counts, Served

_SURFACES: Final = {"player": "For you", "radio": "Radio", "simulator": "Simulated"}
_NO_PART: Final = "not scored"
_LOT: Final = "placed by lot"
_RATES: Final = {
    "played": "n_started",
    "completed": "n_completed",
    "skipped": "n_skipped",
}
_MOST_MODELS: Final = 30
_MOST_SURFACES: Final = 20
_SURFACE_CHARS: Final = 40
_SHOWN_SPANS: Final = 31
_SHOWN_CHARS: Final = 24

Rates = dict[str, float | None]


def rates_of(counts: Counts) -> Rates:
    """Return the share that was played of rows that were shown, and of those the rest.

    Examples
    --------
    >>> import numpy as np
    >>> rates_of(np.array([20, 5, 3, 1, 0]))
    {'played': 0.25, 'completed': 0.6, 'skipped': 0.2}
    """
    told = dict(zip(OF_ROWS, counts.tolist(), strict=True))
    n_rows, n_played = told["n_rows"], told["n_started"]
    return {
        name: ratio(told[column], n_rows if name == "played" else n_played)
        for name, column in _RATES.items()
    }


def rates_by(counts: Iterable[Counts]) -> dict[str, list[float | None]]:
    """Return each share of several counts."""
    found = [rates_of(each) for each in counts]
    return {name: [each[name] for each in found] for name in _RATES}


def ratio(part: float, whole: float) -> float | None:
    """Return a share; None of nothing."""
    return part / whole if whole else None


def coverage(served: Served) -> float | None:
    """Return about which share of the catalogue was shown."""
    found = ratio(served.n_tracks, served.n_catalogue)
    # a sketch may be above, and tracks may have left the catalogue
    return None if found is None else min(1.0, found)


def bits(served: Served) -> str:
    """Return how unexpected a shown track is."""
    novelty = ratio(served.novelty_bits, served["n_judged"])
    return NONE if novelty is None else f"{novelty:.2f} bits"


def tiles(served: Served) -> list[html.Div]:
    """Return the figures at the head of the page."""
    rates = rates_of(served.rows)
    judged = f"of {served['n_judged']:,} rows that could be judged"
    return [
        tile("CTR", share(rates["played"]), f"of {served['n_rows']:,} rows played"),
        tile(
            "Hit rate",
            share(ratio(served["n_lists_hit"], served["n_lists"])),
            f"of {served['n_lists']:,} lists had a play",
        ),
        tile(
            "Completed",
            share(rates["completed"]),
            f"of {served['n_started']:,} rows that were played",
        ),
        tile("Skip rate", share(rates["skipped"]), "of the rows that were played"),
        tile(
            "Coverage",
            share(coverage(served)),
            f"about {served.n_tracks:,} of {served.n_catalogue:,} tracks shown",
        ),
        tile("Novelty", bits(served), judged),
        tile(
            "Fresh",
            share(ratio(served["n_fresh"], served["n_rows"])),
            "of the rows: in no list of the listener on the 7 dates before",
        ),
        tile("Popular", share(ratio(served["n_popular"], served["n_judged"])), judged),
    ]


def funnel_steps(served: Served) -> list[tuple[str, int]]:
    """Return how many rows came how far."""
    steps = ("n_rows", "n_started", "n_completed")
    names = ("served", "played", "completed")
    return [(name, served[step]) for name, step in zip(names, steps, strict=True)]


def funnel_table(served: Served) -> html.Table:
    """Return the funnel, and how else plays ended, as a table."""
    n_rows, n_played = served["n_rows"], served["n_started"]
    rows = [
        ("Served", n_rows, None),
        ("Played", n_played, ratio(n_played, n_rows)),
        *(
            (name, served[column], ratio(served[column], n_played))
            for name, column in (
                ("Completed", "n_completed"),
                ("Skipped", "n_skipped"),
                ("Left", "n_left"),
            )
        ),
    ]
    caption = "Rows; played of those served, the others of those played"
    heads = ("Step", "Rows", "Share")
    return table(caption, heads, [(name, f"{n:,}", share(s)) for name, n, s in rows])


def time_table(
    starts: Sequence[datetime], rows_by: Mapping[datetime, Counts]
) -> html.Table:
    """Return the newest spans of the figure as a table."""
    newest = [start for start in reversed(starts) if start in rows_by][:_SHOWN_SPANS]
    rows = [(moment(start), *_cells(rows_by[start])) for start in newest]
    caption = f"By when a list was first shown, the newest {_SHOWN_SPANS}"
    heads = ("From, UTC", *_HEADS)
    return table(caption, heads, rows)


def ranks_table(served: Served) -> html.Table:
    """Return the rows by their rank."""
    rows = [(str(rank), *_cells(counts)) for rank, counts in ranks_of(served)]
    return table("By the rank of a row", ("Rank", *_HEADS), rows)


def ranks_of(served: Served) -> list[tuple[int, Counts]]:
    """Return the counts of each rank at which a row was shown."""
    return [(n, each) for n, each in enumerate(served.by_rank, 1) if each.any()]


def parts_of(served: Served) -> list[tuple[str, Counts]]:
    """Return the counts of each part, that of most rows first."""
    found = sorted(served.by_part.items(), key=lambda each: (-each[1][0], each[0]))
    return [(_NO_PART if name == "none" else name, each) for name, each in found]


def parts_table(served: Served) -> html.Table:
    """Return the rows by the part that speaks most for them, and those by lot."""
    rows = [(name, *_cells(counts)) for name, counts in parts_of(served)]
    if served.by_lot.any():
        rows.append((_LOT, *_cells(served.by_lot)))
    caption = "By the part of the score that speaks most; those by lot are among them"
    return table(caption, ("Part", *_HEADS), rows)


def versions_table(by_model: Mapping[str, Served]) -> html.Table:
    """Return what became of the lists of each model, the newest first."""
    rows = [
        (
            name_of_model(model)[:_SHOWN_CHARS],
            f"{each['n_lists']:,}",
            share(rates_of(each.rows)["played"]),
            share(ratio(each["n_lists_hit"], each["n_lists"])),
            share(rates_of(each.rows)["completed"]),
            share(rates_of(each.rows)["skipped"]),
            share(coverage(each)),
            bits(each),
            share(ratio(each["n_fresh"], each["n_rows"])),
            share(ratio(each["n_popular"], each["n_judged"])),
        )
        for model, each in [*by_model.items()][:_MOST_MODELS]
    ]
    heads = (
        *("Model", "Lists", "CTR", "Hit rate", "Completed", "Skipped", "Coverage"),
        *("Novelty", "Fresh", "Popular"),
    )
    cut = "" if len(by_model) <= _MOST_MODELS else f", the newest {_MOST_MODELS}"
    return table(f"By the model that had a part in a list{cut}", heads, rows)


def listed_table(by_surface: Mapping[str, tuple[int, int]]) -> html.Table:
    """Return plays that were recommended, and those that were not, by surface."""
    totals = [sum(each) for each in zip(*by_surface.values(), strict=True)] or [0, 0]
    first = islice(by_surface.items(), _MOST_SURFACES)
    rows = [("All", *totals), *((name_of_surface(key), *n) for key, n in first)]
    cut = "" if len(by_surface) <= _MOST_SURFACES else f", {_MOST_SURFACES} surfaces"
    return table(
        f"Plays that ended: from a list of recommendations, and organic{cut}",
        ("Surface", "Plays", "Recommended", "Organic", "Recommended share"),
        [
            (
                name,
                f"{n:,}",
                f"{n_listed:,}",
                f"{n - n_listed:,}",
                share(ratio(n_listed, n)),
            )
            for name, n, n_listed in rows
        ],
    )


def name_of_surface(key: str) -> str:
    """Return what stands for a surface."""
    if key == NO_SURFACE:
        return "not told"
    return _SURFACES.get(key, key[:_SURFACE_CHARS])


def name_of_model(model: str) -> str:
    """Return what stands for a model."""
    return "no model" if model in ("", NO_MODEL) else model


_HEADS: Final = ("Rows", "Played", "CTR", "Completed", "Skipped")


def _cells(counts: Counts) -> tuple[str, ...]:
    rates = rates_of(counts)
    n_rows, n_played = int(counts[0]), int(counts[1])
    return (
        f"{n_rows:,}",
        f"{n_played:,}",
        *(share(rates[name]) for name in ("played", "completed", "skipped")),
    )

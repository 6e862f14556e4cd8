"""What a feature table and its taste space cost, by the number of tracks.

Table write and read, space fit, index build and report (with its map) are timed at each
size, in a process and a home of their own, on made-up rows: no audio is read. `index`
is a whole `build_index`, which reads the table and fits the space once more.
"""

import json
import math
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from benches.plot import cost_plot

SIZES: Final = "1000,10000,30000,100000"
STAGES: Final = ("table", "read", "fit", "index", "report")
Measure = dict[str, float]

_OUT: Final = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--sizes", default=SIZES, show_default=True, help="Numbers of tracks.")
@click.option("--json", "out", type=_OUT, help="Write to FILE, not standard output.")
@click.option("--plot", type=_OUT, help="Draw cost against size, as SVG.")
def main(sizes: str, out: Path | None, plot: Path | None) -> None:
    """Time table, space, index and report of made-up catalogues, by size."""
    numbers = sorted(int(size) for size in sizes.split(","))
    result = summarise(numbers, [_measure_apart(n_tracks) for n_tracks in numbers])
    if out is None:
        click.echo(json.dumps(result))
    else:
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if plot is not None:
        costs = {name: result[f"{name}_s"] for name in (*STAGES, "total")}
        plot.write_text(cost_plot(numbers, costs), encoding="utf-8")


def summarise(sizes: Sequence[int], measures: Sequence[Measure]) -> dict[str, Any]:
    """Return a list for each stage, one value a size, and how its cost grows."""
    costs = {name: [m[name] for m in measures] for name in (*STAGES, "total")}
    return {
        "sizes": list(sizes),
        **{f"{name}_s": cost_s for name, cost_s in costs.items()},
        "peak_mb": [m["peak_mb"] for m in measures],
        "linearity": {name: growth(sizes, cost_s) for name, cost_s in costs.items()},
        "n_cores": os.cpu_count(),
    }


def growth(sizes: Sequence[int], cost_s: Sequence[float]) -> dict[str, float] | None:
    """Return how a cost grows between the two largest sizes, None where there is one.

    Returns
    -------
    dict
        `s_per_1000`, the cost of 1,000 more tracks, and `exponent`, the slope on
        logarithmic scales: 1 is a line, 2 a square.

    Examples
    --------
    >>> growth([1000, 2000], [1.0, 4.0])
    {'s_per_1000': 3.0, 'exponent': 2.0}
    """
    if len(set(sizes)) == 1:
        return None
    (small, large), (less_s, more_s) = sizes[-2:], cost_s[-2:]
    exponent = math.log(more_s / less_s) / math.log(large / small)
    return {
        "s_per_1000": round(1000 * (more_s - less_s) / (large - small), 4),
        "exponent": round(exponent, 2),
    }


def measure(n_tracks: int, home: Path) -> Measure:
    """Return the seconds of each stage and the peak memory; for a new process."""
    # loaded here, so that the process that starts the measures stays small: a child's
    # peak begins with its parent's
    from benches.catalogue import START, write_catalogue
    from features.index import build_index
    from features.report_page import write_report
    from features.space import fit_space
    from features.spec import FeatureSpec
    from features.table import feature_rows, read_tracks, table_folder
    from segue.settings import Settings

    settings, folder = Settings(home=home), table_folder(home, FeatureSpec())
    spent = {"table": write_catalogue(folder, n_tracks)}
    with _watch(spent, "read"):
        rows = feature_rows(read_tracks(folder))
    with _watch(spent, "fit"):
        fit_space(rows.blocks, START)
    del rows
    with _watch(spent, "index"):
        build_index(settings, START)
    with _watch(spent, "report"):
        write_report(settings, home / "report.html", lambda _line: None)
    spent["total"] = sum(spent.values())
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rounded = {name: round(spent_s, 3) for name, spent_s in spent.items()}
    return {**rounded, "peak_mb": round(peak_kib * 1024 / 1e6)}


def _measure_apart(n_tracks: int) -> Measure:
    fresh = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="segue-bench-") as home,
        ProcessPoolExecutor(1, mp_context=fresh) as pool,
    ):
        click.echo(f"{n_tracks:,} tracks …", err=True)
        found = pool.submit(measure, n_tracks, Path(home)).result()
    said = ", ".join(f"{name} {found[name]:.1f} s" for name in (*STAGES, "total"))
    click.echo(f"{n_tracks:,} tracks: {said}; {found['peak_mb']} MB", err=True)
    return found


@contextmanager
def _watch(spent: Measure, name: str) -> Iterator[None]:
    started_s = time.perf_counter()
    yield
    spent[name] = time.perf_counter() - started_s


if __name__ == "__main__":
    main()

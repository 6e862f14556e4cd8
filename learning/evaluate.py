"""Evaluate all methods on real plays: `bin/submit evaluate`.

The same as `segue evaluate`. Methods learn from the first four fifths of the plays, the
hybrid is tuned on the next tenth, and the last tenth judges: every item is ranked.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from learning.evaluation.datasets import KINDS, Dataset, read_archived
from learning.evaluation.evaluate import evaluate
from learning.evaluation.methods import Fitting
from learning.evaluation.page import write_page
from learning.training import by_spark
from models.recommenders.content import Content, content_of
from segue.errors import IndexMissingError, SegueError
from segue.log import configure_logging
from segue.settings import Settings, load_settings
from segue.track_index import read_track_index
from streaming.session import create_session


def _read(kind: str | None, path: Path | None, settings: Settings) -> Dataset:
    if kind is None or path is None:
        return read_archived(settings)
    return KINDS[kind](path)


def _content(found: Dataset, home: Path) -> Content | None:
    try:
        return content_of(found.items, read_track_index(home / "index"))
    except IndexMissingError:
        return None


@click.command(help=__doc__)
@click.option(
    "--data",
    type=(click.Choice(sorted(KINDS)), click.Path(exists=True, path_type=Path)),
    help="Kind and file of a data set; else the archive.",
)
@click.option("--report", type=click.Path(path_type=Path), help="Page to write.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="All figures.")
def main(data: tuple[str, Path] | None, report: Path | None, out: Path | None) -> None:
    """Run the job with the settings of the environment; print what holds."""
    configure_logging()
    settings = load_settings(os.environ)
    kind, path = data or (None, None)
    try:
        found = _read(kind, path, settings)
        spark = create_session("segue-evaluate")
        ours = settings.learning
        content = _content(found, settings.home) if kind is None else None
        fitting = Fitting(ours, by_spark(spark, ours), found.has_times, content)
        told = _with_bar(found, fitting)
        spark.stop()
    except SegueError as error:
        raise click.ClickException(str(error)) from error
    page = report or settings.home / "evaluation.html"
    write_page(page, told)
    if out is not None:
        out.write_text(json.dumps(told), encoding="utf-8")
    click.echo("\n".join(_lines(told, page)))


def _lines(told: dict[str, Any], page: Path) -> list[str]:
    lines = [
        f"{'✓' if each['holds'] else '▲'} {each['task']}, {each['slice']}: "
        f"{each['claim']} {each['gain']['value']:+.4f} "
        f"({each['gain']['low']:+.4f} to {each['gain']['high']:+.4f})"
        + (f" — {each['why']}" if each["why"] else "")
        for each in told["verdicts"]
    ]
    return [*lines, f"all figures: {page}"]


def _with_bar(dataset: Dataset, fitting: Fitting) -> dict[str, Any]:
    with tqdm(total=4, desc="evaluate", file=sys.stderr) as bar:

        def tell(step: str) -> None:
            bar.set_postfix_str(step)
            bar.update()

        return evaluate(dataset, fitting, tell)


if __name__ == "__main__":
    sys.exit(main())

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
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import SparkSession
from scipy import sparse
from tqdm import tqdm

from learning.evaluation.datasets import KINDS, Dataset, read_archived
from learning.evaluation.evaluate import evaluate
from learning.evaluation.methods import Fitting
from learning.evaluation.page import write_page
from learning.training import train_factors
from models.recommenders.learned import FactorTrainer
from segue.errors import SegueError
from segue.log import configure_logging
from segue.settings import LearningSettings, load_settings
from streaming.session import create_session


def by_spark(spark: SparkSession, settings: LearningSettings) -> FactorTrainer:
    """Return what finds factors of items by MLlib, as `segue train` does."""

    def train(table: sparse.csr_array) -> NDArray[np.float32]:
        n_listeners, n_items = table.shape
        listeners = np.repeat(np.arange(n_listeners), np.diff(table.indptr))
        numbered = pa.table(
            {
                "listener": listeners.astype(np.int32),
                "track": table.indices.astype(np.int32),
                "weight": table.data,
            }
        )
        plays = spark.createDataFrame(numbered).cache()
        try:
            return train_factors(plays, n_items, settings)
        finally:
            plays.unpersist()

    return train


def _read(kind: str | None, path: Path | None, home: Path) -> Dataset:
    return read_archived(home) if kind is None or path is None else KINDS[kind](path)


@click.command(help=__doc__)
@click.option(
    "--data",
    type=(click.Choice(sorted(KINDS)), click.Path(exists=True, path_type=Path)),
    help="Kind and file of a data set; else the archive.",
)
@click.option("--report", type=click.Path(path_type=Path), help="Page to write.")
@click.option("--quiet", is_flag=True, help="Print what holds, not every figure.")
def main(data: tuple[str, Path] | None, report: Path | None, quiet: bool) -> None:
    """Run the job with the settings of the environment; print one line of JSON."""
    configure_logging()
    settings = load_settings(os.environ)
    kind, path = data or (None, None)
    try:
        found = _read(kind, path, settings.home)
        spark = create_session("segue-evaluate")
        ours = settings.learning
        fitting = Fitting(ours, by_spark(spark, ours), found.has_times)
        told = _with_bar(found, fitting)
        spark.stop()
    except SegueError as error:
        raise click.ClickException(str(error)) from error
    page = report or settings.home / "evaluation.html"
    write_page(page, told)
    click.echo("\n".join(_lines(told, page)) if quiet else json.dumps(told))


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

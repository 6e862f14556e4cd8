"""Evaluate all methods on real plays: `bin/submit evaluate`.

The same as `segue evaluate`. Methods learn from the first four fifths of the plays, the
hybrid is tuned on the next tenth, and the last tenth judges: every item is ranked.

With --replay, the stream's own code goes through the last tenth of the archive play by
play: before each play its listener's list is made, and then the play counts. --against
says what a second ranker does otherwise, and both see the same plays.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from learning.evaluation.datasets import KINDS, Dataset, read_archived
from learning.evaluation.evaluate import evaluate
from learning.evaluation.methods import Fitting
from learning.evaluation.options import Asked, asked_of, replay_options
from learning.evaluation.page import render_page, write_page
from learning.evaluation.rankers import rankers_of
from learning.evaluation.replay import replay
from learning.evaluation.replay_page import lines_of, render_replay
from learning.evaluation.verdicts import summary_of
from learning.training import by_spark
from models.recommenders.content import Content, content_of
from segue.clock import system_clock
from segue.errors import IndexMissingError, SegueError
from segue.log import configure_logging
from segue.reports import keep_report
from segue.settings import Settings, load_settings
from segue.track_index import read_track_index
from streaming.session import create_session, end_at_interrupt


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
@replay_options
def main(
    data: tuple[str, Path] | None,
    report: Path | None,
    out: Path | None,
    **options: Any,
) -> None:
    """Run the job with the settings of the environment; print what holds."""
    configure_logging()
    settings = load_settings(os.environ)
    try:
        asked = asked_of(options, data)
        if asked is None:
            told = _evaluated(settings, data)
            page, html = "evaluation.html", render_page(told)
            lines = _summary(told["verdicts"])
        else:
            told = _replayed(settings, asked)
            page, html = "replay.html", render_replay(told)
            lines = [*lines_of(told), *_lines(told["replay"]["verdicts"])]
        path = report or settings.home / page
        write_page(path, html)
        # for the analysts' page
        keep_report(settings.home, Path(page).stem, told, system_clock())
    except SegueError as error:
        raise click.ClickException(str(error)) from error
    if out is not None:
        out.write_text(json.dumps(told), encoding="utf-8")
    click.echo("\n".join([*lines, f"all figures: {path}"]))


def _evaluated(settings: Settings, data: tuple[str, Path] | None) -> dict[str, Any]:
    kind, path = data or (None, None)
    found = _read(kind, path, settings)
    spark = create_session("segue-evaluate")
    end_at_interrupt()
    ours = settings.learning
    content = _content(found, settings.home) if kind is None else None
    fitting = Fitting(ours, by_spark(spark, ours), found.has_times, content)
    with _bar(4) as tell:
        told = evaluate(found, fitting, tell)
    spark.stop()
    return told


def _replayed(settings: Settings, asked: Asked) -> dict[str, Any]:
    rankers_of(settings, asked.against)  # before Spark starts
    spark = create_session("segue-evaluate")
    end_at_interrupt()
    with _bar(3) as tell:
        told = replay(spark, settings, asked, tell)
    spark.stop()
    return told


def _summary(verdicts: Sequence[dict[str, Any]]) -> list[str]:
    """Return what holds of each method, and each claim about the hybrid."""
    of_methods = [
        f"{each['method']}: {each['n_hold']} of {each['n']} claims hold, "
        f"{each['n_worse']} are the other way, {each['n_open']} are open, "
        f"{each['n_few']} have too few listeners"
        for each in summary_of(verdicts)
    ]
    return [*of_methods, *_lines([e for e in verdicts if "≥" in e["claim"]])]


def _lines(verdicts: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"{'✓' if each['holds'] else '▲'} {each['task']}, {each['slice']}: "
        f"{each['claim']} {each['gain']['value']:+.4f} "
        f"({each['gain']['low']:+.4f} to {each['gain']['high']:+.4f})"
        + (f" — {each['why']}" if each["why"] else "")
        + (" — the same for each listener" if each["is_same"] else "")
        for each in verdicts
    ]


@contextmanager
def _bar(n_steps: int) -> Iterator[Callable[[str], None]]:
    with tqdm(total=n_steps, desc="evaluate", file=sys.stderr) as bar:

        def tell(step: str) -> None:
            bar.set_postfix_str(step)
            bar.update()

        yield tell


if __name__ == "__main__":
    sys.exit(main())

"""The verbs `train`, `models` and others: what all listeners' plays tell together."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click

from learning.evaluation.options import args_of, asked_of, replay_options
from segue.cli_music import JSON_OPTION
from segue.settings import Settings

DATA_KINDS: Final = ("hetrec", "lastfm-1k", "listenbrainz", "movielens")
"""What `segue evaluate --data` knows; those of `learning.evaluation.datasets`."""
_DATE: Final = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--from", "first", type=_DATE, help="First date; else of the archive.")
@click.option("--to", "last", type=_DATE, help="Last date; else of the archive.")
@click.pass_obj
def train(settings: Settings, first: datetime | None, last: datetime | None) -> None:
    """Train a model of all listeners' plays, out of the archive.

    By Spark; the same as `bin/submit train`. Tracks get factors (alternating least
    squares), neighbours (what the same listeners play) and followers (what is played
    next in sessions). The stream takes the model with its next micro-batch; `segue
    models use VERSION` goes back to another. Prints one line of JSON.
    """
    from segue import services
    from segue.submit import exec_job

    args = []
    for name, day in (("--from", first), ("--to", last)):
        if day is not None:
            args += [name, day.date().isoformat()]
    exec_job(services.with_mongo_if_any(settings), "train", args, _say)


@click.command()
@click.option(
    "--data",
    type=(click.Choice(DATA_KINDS), click.Path(exists=True)),
    metavar="KIND PATH",
    help=f"A data set that you have, of the kind {', '.join(DATA_KINDS)}; else the "
    "archive.",
)
@click.option(
    "--report",
    type=click.Path(),
    help="Page; else var/evaluation.html, of a replay var/replay.html.",
)
@replay_options
@JSON_OPTION
@click.pass_obj
def evaluate(
    settings: Settings,
    /,
    data: tuple[str, str] | None,
    report: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Say what each method is worth on real plays, and how sure that is.

    Methods learn from the first four fifths of the plays, the hybrid is tuned on the
    next tenth, and the last tenth judges: every item is ranked, known ones apart from
    discoveries, new listeners apart from others. By Spark; the same as `bin/submit
    evaluate`. Writes a page; --json prints every figure with its interval.

    With --replay, the last tenth of the archive is gone through play by play by the
    stream's own code: before each play its listener's list is made, from all that they
    had done until then and a model of the dates before, and it is told where the played
    track stood; then the play counts. --against KEY=VALUE adds a second ranker, which
    sees the same plays, and says whether it is better.
    """
    from learning.evaluation.rankers import rankers_of
    from segue import services
    from segue.submit import exec_job, run_job

    asked = asked_of(options, data)
    if asked is not None:
        rankers_of(settings, asked.against)  # refuses what is none before a job starts
    args = [*(["--data", *data] if data else []), *args_of(asked)]
    args += ["--report", report] if report else []
    ready = services.with_mongo_if_any(settings)
    if not as_json:
        exec_job(ready, "evaluate", args, _say)
    with TemporaryDirectory() as scratch:
        figures = Path(scratch) / "figures.json"
        args += ["--json", str(figures)]
        run_job(ready, "evaluate", args, _say, to_stderr=True)
        click.echo(figures.read_text(encoding="utf-8"))


@click.command()
@click.pass_obj
def population(settings: Settings) -> None:
    """Count what all listeners did together, for the analytics page of listeners.

    Out of the archive: sessions by date and by length; of those who came in one week,
    how many played in each week since; and clusters of listeners whose tastes are
    alike, which have names by the tracks near to them. Nothing is told of fewer than
    five people, nor is written who is in which cluster.

    By Spark; the same as `bin/submit population`. The stream may run meanwhile. To be
    run each night (cron): another run replaces what the last one wrote, and who has
    deleted their account since is no longer in it. Prints one line of JSON.
    """
    from segue import services
    from segue.submit import exec_job

    exec_job(services.with_mongo_if_any(settings), "population", [], _say)


@click.group(invoke_without_command=True)
@JSON_OPTION
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """Show the models that were trained; the current one has an asterisk."""
    from segue.builds import current_version
    from segue.trained_model import FOLDER, models_of

    if context.invoked_subcommand is not None:
        return
    settings: Settings = context.obj
    folder = settings.home / FOLDER
    current = current_version(folder)
    found = [
        {**facts, "is_current": facts["version"] == current}
        for facts in models_of(folder)
    ]
    if as_json:
        click.echo(json.dumps(found))
    elif not found:
        click.echo("no model was trained yet; run `segue train`")
    for each in found if not as_json else ():
        click.echo(_line(each))
    if current is not None and not any(each["is_current"] for each in found):
        _say(
            f"the current model, {current}, is not there: lists go on without one; run "
            "`segue train`, or choose one by `segue models use VERSION`"
        )


@models.command()
@click.argument("version")
@click.pass_obj
def use(settings: Settings, version: str) -> None:
    """Make the model VERSION, trained before, the current one.

    The stream takes it with its next micro-batch.
    """
    from segue.trained_model import FOLDER, use_model

    use_model(settings.home / FOLDER, version)
    click.echo(f"model {version} is the current one")


def _worth(blend: Any) -> str:
    if not isinstance(blend, Mapping):  # of an older Segue
        return f", nDCG {blend:.3f}"
    return f", nDCG {blend['value']:.3f} ({blend['low']:.3f} to {blend['high']:.3f})"


def _say(line: str) -> None:
    click.echo(line, err=True)


def _line(facts: Mapping[str, Any]) -> str:
    data, metrics = facts["data"], facts.get("metrics")
    worth = "" if not metrics else _worth(metrics["ndcg"]["blend"])
    return (
        f"{'*' if facts['is_current'] else ' '} {facts['version']}  trained "
        f"{facts['trained_at']}  of {data['first_date']} to {data['last_date']}: "
        f"{data['n_events']} events, {data['n_listeners']} listeners, "
        f"{data['n_tracks']} tracks{worth}"
    )

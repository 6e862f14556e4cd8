"""The command line: one verb, one function; heavy imports stand inside the verb."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

import segue
from segue.cli_account import account
from segue.cli_activity import activity
from segue.cli_import import import_history
from segue.cli_models import evaluate, models, population, train
from segue.cli_music import (
    FOLDER,
    JSON_OPTION,
    demo_library,
    features,
    library,
)
from segue.cli_rejected import rejected
from segue.cli_replay import replay
from segue.cli_simulate import simulate
from segue.cli_taste import recompute, taste
from segue.cli_token import token
from segue.errors import SegueError, SettingsError
from segue.log import configure_logging
from segue.settings import Settings, load_settings, with_free_ports

_INTERRUPTED = 130
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Group(click.Group):
    """Turns errors of the SegueError tree into one line and exit status 1 or 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise SystemExit(_INTERRUPTED) from None
        except SettingsError as error:
            raise click.UsageError(str(error)) from error
        except SegueError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(segue.__version__, prog_name="segue")
@click.option("-v", "--verbose", is_flag=True, help="Log what is done, and why.")
@click.pass_context
def main(ctx: click.Context, verbose: bool) -> None:
    """Segue: a music service that listens back.

    Settings come from conf/segue.toml and from SEGUE_* in the environment, for
    example SEGUE_HOME (folder of all state), SEGUE_KAFKA_BOOTSTRAP and SEGUE_MONGO_URI
    (your own services; what is not set is started locally), SPARK_MASTER.

    To see everything at work: segue demo. Exit status: 0 done, 1 failed, 2 wrong use,
    130 interrupted.
    """
    configure_logging("INFO" if verbose else "WARNING")
    # a supervisor's SIGTERM ends a verb as Ctrl-C does: through its finally blocks; a
    # shell starts background jobs with Ctrl-C switched off, so that is switched on
    for stop in STOP_SIGNALS:
        signal.signal(stop, signal.default_int_handler)
    ctx.obj = ctx.obj or load_settings(os.environ)


def _report(line: str) -> None:
    click.echo(line, err=True)


@main.command()
@click.option("--free-ports", is_flag=True, help="Choose free ports, not the set ones.")
@click.pass_obj
def up(settings: Settings, free_ports: bool) -> None:
    """Start the local Kafka broker and mongod, bound to loopback.

    What SEGUE_KAFKA_BOOTSTRAP or SEGUE_MONGO_URI names is used and not started. Doing
    it again changes nothing. Data lies under SEGUE_HOME, ports are SEGUE_KAFKA_PORT and
    SEGUE_MONGO_PORT (0 chooses a free one).
    """
    from segue import services
    from segue.services.topics import ensure_topics

    ready = services.up(with_free_ports(settings) if free_ports else settings, _report)
    ensure_topics(ready, _report)


@main.command()
@click.pass_obj
def down(settings: Settings) -> None:
    """Stop everything that Segue started from this SEGUE_HOME."""
    from segue import services

    services.down(settings, _report)


@main.command()
@JSON_OPTION
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Say what runs, as the services themselves answer.

    Exit status 0 when Kafka and MongoDB answer, else 1.
    """
    from dataclasses import asdict

    from segue import services

    rows = services.status(settings)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
    else:
        for row in rows:
            pid = f"pid {row.pid}" if row.pid else ""
            click.echo(
                f"{row.name:<12} {row.state:<9} {row.address or '':<26} {pid:<11} "
                f"{row.detail}".rstrip()
            )
    if not {"kafka", "mongo"} <= {row.name for row in rows if row.answers}:
        raise SystemExit(1)


@main.command()
@click.pass_obj
def topics(settings: Settings) -> None:
    """Create the Kafka topics, or check those that are there."""
    from segue import services
    from segue.services.topics import ensure_topics

    ensure_topics(services.with_kafka(settings), _report)


@main.command()
@click.pass_obj
def stream(settings: Settings) -> None:
    """Run the streaming job until Ctrl-C; the same as `bin/submit stream`.

    playback.events → judged → panes per listener → taste vector → list → MongoDB.
    Ctrl-C or SIGTERM lets the batch end, twice ends at once. It may be killed at any
    moment and goes on where it stood.
    """
    from segue import services
    from segue.supervise import supervise_job

    ready = services.with_endpoints(settings)
    sys.exit(supervise_job(ready, "stream", [], _report))


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument(
    "job",
    type=click.Choice(
        ["stream", "features", "recompute", "train", "evaluate", "population"]
    ),
)
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def submit(settings: Settings, job: str, args: tuple[str, ...]) -> None:
    """Run JOB by spark-submit, with our wheel, jars and conf/spark-defaults.conf.

    SPARK_MASTER names the cluster; default is this machine. ARGS go to the job.
    """
    from segue import services
    from segue.submit import exec_job
    from segue.supervise import supervise_job

    if job == "stream":
        ready = services.with_endpoints(settings)
        sys.exit(supervise_job(ready, job, args, _report))
    if job == "recompute":
        exec_job(services.with_endpoints(settings), job, args, _report)
    exec_job(services.with_mongo_if_any(settings), job, args, _report)


@main.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.pass_obj
def publish(settings: Settings, file: Any) -> None:
    """Publish events from FILE or standard input, one JSON object a line.

    Lines that are no event are named with their reason and not sent; then the exit
    status is 1.
    """
    from segue import services
    from streaming.producer import Producer, publish_lines

    kafka = services.with_kafka(settings).kafka
    with Producer(kafka, settings.home / "spool") as producer:
        n_sent, n_refused = publish_lines(producer, file, _report)
        if producer.n_spooled_bytes:
            _report(
                "Kafka is away: events wait on disk, and the next producer sends them"
            )
    click.echo(f"{n_sent} sent, {n_refused} refused")
    if n_refused:
        raise SystemExit(1)


@main.command()
@click.pass_obj
def dashboard(settings: Settings) -> None:
    """Serve the player and the analytics pages until Ctrl-C."""
    from dashboard.server import serve
    from segue import services
    from streaming.producer import Producer

    ready = services.with_endpoints(settings)
    spool, topic = ready.home / "spool", ready.kafka.history_topic
    with (
        Producer(ready.kafka, spool) as live,
        Producer(ready.kafka, spool, topic) as history,
    ):
        serve(ready, live, history, click.echo)


@main.command()
@click.option("--music", type=FOLDER, help="Your own music, instead of composed music.")
@click.option("--check", is_flag=True, help="See one skip change a list, then stop.")
@click.option("--free-ports", is_flag=True, help="Choose free ports, not the set ones.")
@click.option("--no-simulator", is_flag=True, help="Without simulated listeners.")
@click.pass_obj
def demo(
    settings: Settings,
    music: Path | None,
    check: bool,
    free_ports: bool,
    no_simulator: bool,
) -> None:
    """Start everything and print the address where music plays. Ctrl-C stops it all.

    Broker, mongod, demo music, features, streaming job, simulated listeners, dashboard:
    all real, all on this machine. With --check it drives a browser through one skip,
    prints the time of each stage and exits 0 when the list has changed.
    """
    from segue.demo import run_demo

    chosen = with_free_ports(settings) if free_ports else settings
    run_demo(chosen, music, check=check, simulator=not no_simulator, report=_report)


for _verb in (
    account,
    activity,
    demo_library,
    evaluate,
    features,
    import_history,
    library,
    models,
    population,
    recompute,
    rejected,
    replay,
    simulate,
    taste,
    token,
    train,
):
    main.add_command(_verb)


if __name__ == "__main__":
    sys.exit(main())

"""The command line: one verb, one function; heavy imports stand inside the verb."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

import segue
from segue.errors import SegueError, SettingsError
from segue.log import configure_logging
from segue.settings import Settings, load_settings, with_free_ports

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SEED_OPTION = click.option(
    "--seed", default=1, show_default=True, help="Same seed, same result."
)


class _Group(click.Group):
    """Turns errors of the SegueError tree into one line and exit status 1 or 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
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

    To see everything at work: segue demo. Exit status: 0 done, 1 failed, 2 wrong use.
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


@main.command("demo-library")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@SEED_OPTION
@click.option("--workers", "n_workers", default=2, show_default=True)
def demo_library(folder: Path, seed: int, n_workers: int) -> None:
    """Compose the demo music into FOLDER: 96 tracks, 24 artists, 12 styles.

    Nothing is downloaded and nobody's music is used: a seeded composer writes tagged
    OGG, FLAC and MP3 files with covers. Takes a minute or two; doing it again with the
    same seed writes only what is missing.
    """
    from segue.composer.progress import compose_with_bar

    files = compose_with_bar(folder, seed, n_workers)
    _report(f"{len(files)} files in {folder}")


@main.group()
def library() -> None:
    """Catalogue of the music: tags, covers, content hashes."""


@library.command("scan")
@click.argument("folder", type=FOLDER)
@JSON_OPTION
@click.pass_obj
def library_scan(settings: Settings, folder: Path, as_json: bool) -> None:
    """Read the tags of the music in FOLDER into the collection `tracks`."""
    from dataclasses import asdict

    from segue import services, store
    from segue.clock import system_clock
    from segue.covers import covers_folder
    from segue.library import scan_library

    database = store.connect(services.with_endpoints(settings).mongo)
    store.prepare(database)
    covers = covers_folder(settings.home)
    summary = scan_library(folder, database, system_clock, _report, covers=covers)
    click.echo(json.dumps(asdict(summary), default=str) if as_json else str(summary))


@main.group()
def features() -> None:
    """Audio → feature table → taste space and track index."""


@features.command("build")
@click.argument("folder", type=FOLDER)
@click.option("--watch", is_flag=True, help="Go on, and take new files as they come.")
@click.option("--refit", is_flag=True, help="Fit the taste space anew.")
@click.option("--retry-failed", is_flag=True, help="Try hopeless files once more.")
@click.pass_obj
def features_build(settings: Settings, folder: Path, **options: bool) -> None:
    """Extract what is new in FOLDER, by Spark, and build the track index.

    The same as `bin/submit features FOLDER`. A file whose bytes are known is not read
    again; one that gives nothing becomes a row of `failures` and costs nobody else. It
    may be killed at any moment: the next run goes on where it stood. Where MongoDB is
    set or runs here, the catalogue follows.

    Prints one line of JSON: found = new + known + duplicate + failed + known_failures.
    """
    from segue import services
    from segue.submit import exec_job

    flags = [f"--{name.replace('_', '-')}" for name, on in options.items() if on]
    ready = services.with_mongo_if_any(settings)
    exec_job(ready, "features", [str(folder.absolute()), *flags], _report)


@features.command("refit")
@JSON_OPTION
@click.pass_obj
def features_refit(settings: Settings, as_json: bool) -> None:
    """Fit the taste space anew to the tracks of the index; no audio is read.

    The running stream takes the new space with its next batch, whole.
    """
    from features.index import refit_index
    from segue.clock import system_clock

    index = refit_index(settings, system_clock())
    answer = {"n_tracks": len(index.track_ids), "index_version": index.version}
    text = f"{answer['n_tracks']} tracks in index {index.version}"
    click.echo(json.dumps(answer) if as_json else text)


@main.command()
@click.pass_obj
def stream(settings: Settings) -> None:
    """Run the streaming job until Ctrl-C; the same as `bin/submit stream`.

    playback.events → judged → panes per listener → taste vector → list → MongoDB. It
    may be killed at any moment and goes on where it stood.
    """
    from segue import services
    from segue.submit import exec_job

    exec_job(services.with_endpoints(settings), "stream", [], _report)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("job", type=click.Choice(["stream", "features"]))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def submit(settings: Settings, job: str, args: tuple[str, ...]) -> None:
    """Run JOB by spark-submit, with our wheel, jars and conf/spark-defaults.conf.

    SPARK_MASTER names the cluster; default is this machine. ARGS go to the job.
    """
    from segue import services
    from segue.submit import exec_job

    needs_services = job == "stream"
    find = services.with_endpoints if needs_services else services.with_mongo_if_any
    exec_job(find(settings), job, list(args), _report)


@main.command()
@click.option("--listeners", type=click.IntRange(min=1), help="Number of listeners.")
@click.option("--plays-per-min", type=float, help="Plays a minute, of all together.")
@SEED_OPTION
@click.pass_obj
def simulate(
    settings: Settings, listeners: int | None, plays_per_min: float | None, seed: int
) -> None:
    """Let simulated listeners play music until Ctrl-C.

    Each likes one region of the taste space, hears out what lies near and skips what
    lies far, and mostly chooses from the list that Segue makes for them.
    """
    from segue import services
    from streaming.simulator import run_simulator

    chosen = {
        key: value
        for key, value in {
            "n_listeners": listeners,
            "plays_per_min": plays_per_min,
        }.items()
        if value is not None
    }
    simulator = settings.simulator.model_copy(update=chosen)
    ready = services.with_endpoints(settings)
    run_simulator(ready.model_copy(update={"simulator": simulator}), seed)


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

    with Producer(services.with_kafka(settings).kafka) as producer:
        n_sent, n_refused = publish_lines(producer, file, _report)
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
    with Producer(ready.kafka) as producer:
        serve(ready, producer)


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


if __name__ == "__main__":
    sys.exit(main())

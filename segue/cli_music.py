"""The verbs about music: compose it, catalogue it, analyse it."""

import json
from pathlib import Path

import click

from segue.settings import Settings

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
HISTORY_KINDS = click.Choice(["spotify", "listenbrainz", "lastfm"])
SEED_OPTION = click.option(
    "--seed", default=1, show_default=True, help="Same seed, same result."
)


def _say(line: str) -> None:
    click.echo(line, err=True)


@click.command("demo-library")
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
    _say(f"{len(files)} files in {folder}")


@click.group()
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
    summary = scan_library(folder, database, system_clock, _say, covers=covers)
    click.echo(json.dumps(asdict(summary), default=str) if as_json else str(summary))


@click.group()
def features() -> None:
    """Audio → feature table → taste space and track index."""


@features.command("build")
@click.argument("folder", type=FOLDER)
@click.option("--watch", is_flag=True, help="Go on, and take new files as they come.")
@click.option("--refit", is_flag=True, help="Fit the taste space anew.")
@click.option("--retry-failed", is_flag=True, help="Try hopeless files once more.")
@click.pass_obj
def features_build(settings: Settings, /, folder: Path, **options: bool) -> None:
    """Extract what is new in FOLDER, by Spark, and build the track index.

    The same as `bin/submit features FOLDER`. A file whose bytes are known is not read
    again; one that gives nothing becomes a row of `failures` and costs nobody else. It
    may be killed at any moment: the next run goes on where it stood. Where MongoDB is
    set or runs here, the catalogue follows. The index is what lies in FOLDER: give the
    whole library, not only what is new.

    Prints one line of JSON: found = new + known + duplicate + failed + known_failures.
    """
    from segue import services
    from segue.submit import exec_job

    flags = [f"--{name.replace('_', '-')}" for name, on in options.items() if on]
    ready = services.with_mongo_if_any(settings)
    exec_job(ready, "features", [str(folder.absolute()), *flags], _say)


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


@features.command("report")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="HTML file; default is report.html below SEGUE_HOME.",
)
@JSON_OPTION
@click.pass_obj
def features_report(settings: Settings, out: Path | None, as_json: bool) -> None:
    """Write a page about the feature table and the taste space.

    Retrieval figures with intervals, hubs, dead dimensions, copies, failures by reason,
    drift between runs, and a map of the catalogue. One HTML file, which needs no
    network.
    """
    from features.report_page import write_report

    path = out or settings.home / "report.html"
    report = write_report(settings, path, _say)
    click.echo(report.to_json() if as_json else path)


@features.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@JSON_OPTION
@click.pass_obj
def features_import(settings: Settings, file: Path, as_json: bool) -> None:
    """Make a taste space and an index of the ready feature vectors in FILE.

    CSV or Parquet: a column that names the tracks (track_id, id, filename or path),
    some that tell of them (title, artist, album, genre, label, year, duration_s), all
    other columns of numbers are dimensions. FMA's features.csv is read as it is. The
    tracks are recommended, but have no audio; they take the place of the library until
    the next `segue features build`.

    Prints what became of the rows: read = imported + known + duplicate + invalid.
    """
    from dataclasses import asdict

    from features.ready import import_features
    from segue import services
    from segue.clock import system_clock

    ready = services.with_mongo_if_any(settings)
    summary = import_features(ready, file, system_clock(), _say)
    fields = asdict(summary)
    text = ", ".join(f"{value} {name}" for name, value in fields.items())
    click.echo(json.dumps(fields) if as_json else text)

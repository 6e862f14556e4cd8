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
@click.option("--add", "adds", is_flag=True, help="Keep what lies in other folders.")
@click.option("--progress", is_flag=True, help="Tell as JSON lines how far it is.")
@JSON_OPTION
@click.pass_obj
def library_scan(
    settings: Settings, folder: Path, adds: bool, progress: bool, as_json: bool
) -> None:
    """Read the tags of the music in FOLDER into the collection `tracks`.

    The catalogue is what lies in FOLDER, and in folders that were ever added.
    """
    from dataclasses import asdict

    from segue import indexes, services, store
    from segue.clock import system_clock
    from segue.covers import covers_folder
    from segue.library import scan_library
    from segue.scan_progress import Telling

    database = store.connect(services.with_mongo_if_any(settings).mongo)
    indexes.prepare(database)
    summary = scan_library(
        folder,
        database,
        system_clock,
        _say,
        covers=covers_folder(settings.home),
        adds=adds,
        goes_on=Telling(click.echo) if progress else None,
    )
    click.echo(json.dumps(asdict(summary), default=str) if as_json else str(summary))


@library.command("remove")
@click.argument("folder", type=click.Path(path_type=Path))
@JSON_OPTION
@click.pass_obj
def library_remove(settings: Settings, folder: Path, as_json: bool) -> None:
    """Take FOLDER, which was added by `scan --add` or in the settings, out again.

    Its tracks are no longer found; they leave the index with the next `segue features
    build`. Files are never touched, and what was learned of taste stays. `scan --add`
    brings all back.
    """
    from segue import services, store
    from segue.library_folders import remove_folder

    database = store.connect(services.with_mongo_if_any(settings).mongo)
    root = str(folder.resolve())
    with database.client:
        n_tracks = remove_folder(root, database)
    answer = {"folder": root, "n_missing": n_tracks}
    text = f"{n_tracks} tracks of {root} are missing now; its files stay"
    click.echo(json.dumps(answer) if as_json else text)


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
    _report_on_index(settings)
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
    network. Where MongoDB is set or runs here, the analysts' page Audio space gets a
    report of the index, too, as with each build.
    """
    from features.report_page import write_report

    _report_on_index(settings)
    path = out or settings.home / "report.html"
    report = write_report(settings, path, _say)
    click.echo(report.to_json() if as_json else path)


@features.command("umap")
@JSON_OPTION
@click.pass_obj
def features_umap(settings: Settings, as_json: bool) -> None:
    """Lay out the track index by UMAP, as one more layer of the taste map.

    Takes minutes (of very large catalogues 50,000 tracks are placed), and holds for the
    index that is there now: run it every night. Needs the extra `segue[umap]`.
    """
    from features.umap_layer import write_umap_layer

    layer = write_umap_layer(settings.home)
    text = f"{layer.n_tracks} tracks of index {layer.index_version} in {layer.path}"
    click.echo(json.dumps(layer._asdict(), default=str) if as_json else text)


def _report_on_index(settings: Settings) -> None:
    """Write the report for the analysts' page, where there is a MongoDB."""
    from functools import partial

    from features.audio_reporting import tell_only, write_library_report
    from segue import services
    from segue.clock import system_clock

    ready = services.with_mongo_if_any(settings)
    if ready.mongo.uri is not None:
        tell_only(_say, partial(write_library_report, ready, system_clock()))


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

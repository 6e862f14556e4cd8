"""The verb `import`: listening histories from elsewhere."""

import json
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from segue.cli_music import HISTORY_KINDS, JSON_OPTION
from segue.settings import Settings

if TYPE_CHECKING:
    from streaming.importers.run import Summary

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_N_SHOWN = 10


@click.command("import")
@click.argument("kind", type=HISTORY_KINDS)
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--listener", help="Whose history it is, where the files do not say.")
@click.option("--dry-run", is_flag=True, help="Read and count; send nothing.")
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a table of the plays whose track is not in the catalogue.",
)
@JSON_OPTION
@click.pass_obj
def import_history(
    settings: Settings,
    kind: str,
    files: tuple[Path, ...],
    listener: str | None,
    dry_run: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    """Bring listening histories along, with the times of then.

    \b
    spotify       StreamingHistory*.json, the extended Streaming_History*.json, or the
                  ZIP file as Spotify sends it
    listenbrainz  the export of your listens, a dump, or an answer of the API
    lastfm        CSV of the usual exporters, or the Last.fm-1K table

    Importing twice adds nothing. Plays of tracks that are not in the catalogue are kept
    and count when the track arrives. Short plays count as skips, unless nobody can have
    heard them (less than a second). The stream takes the plays into the archive, the
    history and the tastes; if it does not run, they wait in Kafka.
    """  # noqa: D301
    from segue import services, store
    from segue.clock import system_clock
    from streaming.importers.ledger import Ledger
    from streaming.importers.run import Importer, Summary
    from streaming.producer import Producer

    ready = services.with_endpoints(settings)
    database = store.connect(ready.mongo)
    summary, topic = Summary(), ready.kafka.history_topic
    with (
        closing(database.client),
        Ledger(settings.home / "imports" / "ledger.sqlite", is_trial=dry_run) as ledger,
        nullcontext()
        if dry_run
        else Producer(ready.kafka, settings.home / "spool", topic) as producer,
    ):
        ledger.forget_unmatched()
        importer = Importer(kind, listener, database, ledger, producer, system_clock)
        try:
            _run(importer, files, summary)
        finally:
            _answer(summary, as_json)
            if report is not None:
                _write_report(report, ledger)
        if producer is not None and producer.n_spooled_bytes:
            click.echo(
                "Kafka is away: plays wait on disk for the next import", err=True
            )
        if not as_json:
            _show_unmatched(ledger)


def _run(importer: Any, files: tuple[Path, ...], summary: "Summary") -> None:
    from tqdm import tqdm

    total = sum(path.stat().st_size for path in files)
    with tqdm(total=total, desc="importing", unit="B", unit_scale=True) as bar:
        before = 0
        for path in files:

            def show(n_bytes: int, before: int = before) -> None:
                bar.update(before + n_bytes - bar.n)
                bar.set_postfix_str(f"{summary.n_read} lines", refresh=False)

            importer.run(path, summary, show)
            before += path.stat().st_size
            bar.update(before - bar.n)


def _answer(summary: "Summary", as_json: bool) -> None:
    counts = summary.as_json()
    if as_json:
        click.echo(json.dumps(counts, ensure_ascii=False))
        return
    names = ("stored", "duplicate", "too_short", "unmatched", "invalid")
    parts = " + ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in names)
    click.echo(f"{counts['read']} read = {parts}")
    for reason, n in sorted(summary.invalid.items()):
        click.echo(f"  {n} {reason}, for example: {_plain(summary.examples[reason])}")


def _plain(text: str) -> str:
    """Return a text from outside on one line, without anything a terminal obeys."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _show_unmatched(ledger: Any) -> None:
    for number, (artist, title, _, n) in enumerate(ledger.unmatched()):
        if number == 0:
            click.echo("Not in the catalogue, most played first:", err=True)
        if number == _N_SHOWN:
            click.echo("  … --report FILE writes them all", err=True)
            return
        click.echo(f"  {n:5}  {_plain(artist)} - {_plain(title)}", err=True)


def _write_report(path: Path, ledger: Any) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["artist", "title", "album", "n_plays"])
        table.writerows(ledger.unmatched())

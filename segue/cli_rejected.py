"""The verbs about messages that could not become events."""

import heapq
import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from segue.cli_music import JSON_OPTION
from segue.settings import Settings

if TYPE_CHECKING:
    from streaming.rejected import RejectedMessage

REASON_OPTION = click.option("--reason", help="Only those with this reason.")


@click.group()
def rejected() -> None:
    """Messages that could not become events: why, and once more."""


def _read(settings: Settings, reason: str | None) -> Iterator["RejectedMessage"]:
    from segue import services
    from streaming.rejected import read_rejected

    for message in read_rejected(services.with_kafka(settings).kafka):
        if reason in (None, message.reason):
            yield message


@rejected.command("list")
@REASON_OPTION
@click.option("--limit", default=50, show_default=True, help="The newest so many.")
@JSON_OPTION
@click.pass_obj
def list_messages(
    settings: Settings, reason: str | None, limit: int, as_json: bool
) -> None:
    """Show the newest rejected messages, and how many there are by reason."""
    from streaming.rejected import preview

    total: Counter[str] = Counter()

    def counted() -> Iterator["RejectedMessage"]:
        for message in _read(settings, reason):
            total[message.reason] += 1
            yield message

    newest = heapq.nlargest(limit, counted(), key=lambda each: each.ingested_at)
    if as_json:
        rows = [_as_json(each) | {"preview": preview(each.raw)} for each in newest]
        click.echo(json.dumps({"by_reason": dict(total), "messages": rows}))
        return
    for each in newest:
        at = each.ingested_at.strftime("%Y-%m-%d %H:%M:%S")
        click.echo(f"{at}  {each.reason:<14} {each.key:<28} {preview(each.raw)}")
    parts = ", ".join(f"{n} {name}" for name, n in sorted(total.items()))
    click.echo(f"{total.total()} rejected{': ' if parts else ''}{parts}", err=True)


@rejected.command("show")
@click.argument("key")
@click.option("--raw", is_flag=True, help="Write its bytes as they are, and no more.")
@JSON_OPTION
@click.pass_obj
def show(settings: Settings, key: str, raw: bool, as_json: bool) -> None:
    """Show one message, KEY as `list` gives it, and what is wrong with it."""
    from streaming.rejected import explanation, preview

    message = next((each for each in _read(settings, None) if each.key == key), None)
    if message is None:
        raise click.ClickException(
            f"no rejected message {key}; see segue rejected list"
        )
    if raw:
        sys.stdout.buffer.write(message.raw)
        return
    told = _as_json(message) | {"explanation": explanation(message.raw)}
    if as_json:
        click.echo(json.dumps(told))
        return
    for name, value in told.items():
        click.echo(f"{name:<12} {preview(str(value).encode())}")
    if not message.is_whole:
        click.echo(f"Only the first {len(message.raw)} bytes are kept.", err=True)
    click.echo(preview(message.raw))


@rejected.command("retry")
@click.argument("keys", nargs=-1)
@REASON_OPTION
@click.option("--all", "take_all", is_flag=True, help="All that there are.")
@click.option("--dry-run", is_flag=True, help="Say what would come of it.")
@JSON_OPTION
@click.pass_obj
def retry(
    settings: Settings,
    keys: tuple[str, ...],
    reason: str | None,
    take_all: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send messages again that are valid by now; what was sent leaves the topic.

    An event about a track that was unknown rests in its pane and counts by itself: it
    is not sent, and leaves the topic once the track has features.
    """
    from segue import services
    from segue.clock import system_clock
    from segue.track_index import read_track_index
    from streaming.rejected import Outcome, Retry, counts

    if not (keys or reason or take_all):
        raise click.UsageError("say which: KEY …, --reason REASON or --all")
    wanted = [m for m in _read(settings, reason) if not keys or m.key in keys]
    index = read_track_index(settings.home / "index")
    ready = services.with_kafka(settings)
    again = Retry(ready, lambda track_id: track_id in index.row_of, system_clock)
    outcomes = again.run(wanted, dry_run=dry_run)
    click.echo(json.dumps(counts(outcomes)) if as_json else _line(counts(outcomes)))
    missing = set(keys) - outcomes.keys()
    for key in sorted(missing):
        click.echo(f"no rejected message {key}", err=True)
    left = {Outcome.STILL_INVALID, Outcome.GONE}
    if missing or (keys and left & set(outcomes.values())):
        raise SystemExit(1)


def _line(totals: dict[str, int]) -> str:
    names = [name for name in totals if name != "found"]
    parts = " + ".join(f"{totals[name]} {name.replace('_', ' ')}" for name in names)
    return f"{totals['found']} found = {parts}"


def _as_json(message: "RejectedMessage") -> dict[str, Any]:
    return {
        "key": message.key,
        "reason": message.reason,
        "topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
        "ingested_at": message.ingested_at.isoformat(),
        "n_bytes": message.n_bytes,
    }

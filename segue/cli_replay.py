"""The verb `replay`: recorded events once more."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from segue.cli_music import HISTORY_KINDS, JSON_OPTION
from segue.errors import SettingsError
from segue.settings import Settings

if TYPE_CHECKING:
    from pymongo.database import Database

    from segue.store import Document
    from streaming.recorded import Recorded

_PATH: Final = click.Path(exists=True, allow_dash=True, path_type=Path)
_DATE: Final = click.DateTime(["%Y-%m-%d"])
_AT_ONCE: Final = "max"


class _Speed(click.ParamType):  # type: ignore[type-arg]
    """How many times faster: a number, or `max`."""

    name = "speed"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        if value == _AT_ONCE:
            return value
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not 0 < speed < float("inf"):
            self.fail(f"{value!r} is no speed; want a number over 0, or max", param)
        return speed


@click.command()
@click.argument("file", type=_PATH, required=False)
@click.option(
    "--kind", type=HISTORY_KINDS, help="FILE is a history as `import` takes it."
)
@click.option(
    "--speed", type=_Speed(), default="1", show_default=True, help="Times faster; max."
)
@click.option("--listener", help="Only theirs; of a history: whose it is.")
@click.option("--as", "prefix", default="", help="Put before the listeners' names.")
@click.option("--from", "since", type=_DATE, help="First date, of an archive.")
@click.option("--until", type=_DATE, help="Last date, of an archive.")
@click.option("--run-id", help="Same run, same events; else from the clock.")
@JSON_OPTION
@click.pass_obj
def replay(
    settings: Settings, /, file: Path | None, *, as_json: bool, **options: Any
) -> None:
    """Play recorded events once more, as live events that happen now.

    FILE holds events as JSON lines, gzip or not (- is standard input), or is a folder
    of an archive; default is SEGUE_HOME/events. With --kind it is a history from
    elsewhere. Events are ordered by time, the first happens now, and what lies between
    is divided by --speed; with max, each happens when it is sent. They get new ids, and
    count for the same listeners as before: --as keeps those apart. `forgotten` events
    are left out.

    The counts add up: read = sent + forgotten + rejected.
    """
    from segue import services
    from segue.clock import system_clock
    from streaming.producer import Producer
    from streaming.replay import Replay
    from streaming.replay import replay as run_replay

    ready = services.with_kafka(settings)
    run_id = options["run_id"] or f"{system_clock():%y%m%d%H%M%S%f}"
    speed = None if options["speed"] == _AT_ONCE else options["speed"]
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    with ExitStack() as stack:
        stack.callback(_answer, counts, refused, run_id, as_json=as_json)
        recorded = stack.enter_context(_recorded(ready, file, options, refused))
        producer = stack.enter_context(Producer(ready.kafka, ready.home / "spool"))
        bar = stack.enter_context(_bar(len(recorded)))
        how = Replay(run_id, speed, options["prefix"])
        run_replay(
            recorded,
            how,
            producer,
            system_clock,
            counts,
            lambda n: bar.update(n - bar.n),
        )


@contextmanager
def _recorded(
    settings: Settings,
    file: Path | None,
    options: dict[str, Any],
    refused: Counter[str],
) -> Iterator["Recorded"]:
    from streaming.recorded import (
        RecordedArchive,
        RecordedLines,
        open_history,
        open_lines,
    )

    kind, listener = options["kind"], options["listener"]
    since, until = _day(options["since"]), _day(options["until"])
    if file is None or file.is_dir():
        if kind is not None:
            raise SettingsError("--kind is of a file; give the file")
        folder = file or settings.home / "events"
        yield RecordedArchive(folder, since, until, listener)
        return
    if since or until or (listener and not kind):
        raise SettingsError("--from, --until and --listener are of an archive")
    with ExitStack() as stack:
        if kind is not None:
            database = stack.enter_context(_database(settings))
            events = open_history(file, kind, listener, database, refused)
        else:
            events = open_lines(stack.enter_context(click.open_file(str(file), "rb")))
        yield RecordedLines(stack.enter_context(events), refused)


def _day(moment: datetime | None) -> Any:
    return None if moment is None else moment.date()


@contextmanager
def _database(settings: Settings) -> Iterator["Database[Document] | None"]:
    from segue import services, store

    mongo = services.with_mongo_if_any(settings).mongo
    if mongo.uri is None:
        yield None
        return
    database = store.connect(mongo)
    with closing(database.client):
        yield database


def _bar(total: int) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, desc="replaying", unit="event")


def _answer(
    counts: Counter[str], refused: Counter[str], run_id: str, *, as_json: bool
) -> None:
    sent, forgotten, rejected = counts["sent"], counts["forgotten"], refused.total()
    read = sent + forgotten + rejected
    if as_json:
        told = {"read": read, "sent": sent, "forgotten": forgotten}
        more = {"rejected": rejected, "rejected_by_reason": dict(refused)}
        click.echo(json.dumps({"run_id": run_id} | told | more))
        return
    click.echo(
        f"{read} read = {sent} sent + {forgotten} forgotten + {rejected} rejected"
    )
    for reason, n in sorted(refused.items()):
        click.echo(f"  {n} {reason}")

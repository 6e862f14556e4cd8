"""The verb `simulate`: listeners whose tastes are known."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from segue.cli_music import JSON_OPTION, SEED_OPTION
from segue.errors import SettingsError, SimulationError
from segue.settings import Settings

if TYPE_CHECKING:
    from streaming.simulator.run import Plan

_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_TIMES: Final = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])
_SHARE: Final = click.FloatRange(0, 1)
_TOTALS: Final = frozenset({"sent", "events", "plays"})
_CHECK_SEED: Final = 0
_MAX_NAME_CHARS: Final = 16
_SEEDS: Final = 2**31


@click.command()
@click.option("--listeners", type=click.IntRange(min=1), help="Number of listeners.")
@click.option(
    "--rate", type=click.FloatRange(0.01, 50_000), help="Events a second, about."
)
@click.option(
    "--plays-per-min",
    type=click.FloatRange(0, min_open=True),
    help="Plays a minute, of all together.",
)
@click.option(
    "--lifelike",
    is_flag=True,
    help="Sessions by hour and weekday; a play lasts as long as it is heard.",
)
@SEED_OPTION
@click.option("--start", type=_TIMES, help="UTC time of the first play; else now.")
@click.option(
    "--speed",
    type=click.FloatRange(0.01),
    help="Times faster than the clock. With --start or --out: as fast as it goes.",
)
@click.option("--events", "n_events", type=click.IntRange(1), help="End after so many.")
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="End after them, in event time.",
)
@click.option(
    "--change-every",
    "mean_change_s",
    type=click.FloatRange(1),
    default=3_600.0,
    show_default=True,
    help="Mean seconds between two changes of a listener's taste.",
)
@click.option(
    "--names",
    default="listener",
    show_default=True,
    help="What the names of the listeners begin with.",
)
@click.option("--duplicates", type=_SHARE, default=0.0, help="Share sent twice.")
@click.option("--late", type=_SHARE, default=0.0, help="Share behind the watermark.")
@click.option("--shuffled", type=_SHARE, default=0.0, help="Share out of order.")
@click.option("--broken", type=_SHARE, default=0.0, help="Share that is no event.")
@click.option("--out", type=_FILE, help="Write events as JSON lines; needs no Kafka.")
@click.option("--truth", type=_FILE, help="Where the truth goes.")
@click.option("--check", is_flag=True, help="See whether --out tells the truth.")
@JSON_OPTION
@click.pass_obj
def simulate(settings: Settings, /, *, as_json: bool, **options: Any) -> None:
    """Let simulated listeners play music until Ctrl-C, or --events, or --for.

    Each likes a few regions of the taste space, and at known instants turns to others,
    at once or over some minutes. They hear out what lies near and skip what lies far,
    like some of it, stay with an artist, try something new, and mostly choose from the
    list that Segue makes for them.

    What only the simulator knows is written beside the events, as JSON lines:
    SEGUE_HOME/simulated/RUN/truth.jsonl. Events go to the live topic; with --start, to
    the topic of histories, and at most up to the present. The same seed and --start
    give the same events, to the byte, if nobody has a list: with --out. For more than
    one process can make, start several, each with --seed and --names of its own.
    """
    out: Path | None = options["out"]
    if options["check"] and out is None:
        raise SettingsError("--check reads what --out writes; give --out FILE")
    plan = _plan(settings, options)
    folder = settings.home / "simulated" / plan.run_id
    truth: Path = options["truth"] or folder / "truth.jsonl"
    counts: Counter[str] = Counter()
    since = time.monotonic()
    try:
        _run(settings, plan, out, truth, counts, is_past=options["start"] is not None)
    finally:
        if counts and as_json:
            told = {"run_id": plan.run_id, "truth": str(truth), **counts}
            click.echo(json.dumps(told))
        elif counts:
            _say_counts(counts, truth, since)
    if options["check"] and out is not None:
        for line in _checked(settings, out, truth):
            click.echo(line, err=as_json)


def _run(
    settings: Settings,
    plan: "Plan",
    out: Path | None,
    truth: Path,
    counts: Counter[str],
    *,
    is_past: bool,
) -> None:
    from segue import services, store
    from segue.track_index import read_track_index
    from streaming.producer import Producer
    from streaming.simulator import lists, run

    find = services.with_mongo_if_any if out else services.with_endpoints
    ready = find(settings)
    index = read_track_index(settings.home / "index")
    truth.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        database = None
        if ready.mongo.uri is not None:
            database = store.connect(ready.mongo)
            stack.enter_context(closing(database.client))
        if out is not None:
            sink = stack.enter_context(run.file_sink(out))
        else:
            topic = ready.kafka.history_topic if is_past else None
            sink = stack.enter_context(
                Producer(ready.kafka, ready.home / "spool", topic)
            )
        read_lists = (
            lists.no_lists
            if out is not None or database is None
            else lists.ListsOfDatabase(database, index, ready.stream.hours_wait_s)
        )
        truth_file = stack.enter_context(truth.open("wb"))
        show = stack.enter_context(_bar(plan))
        run.simulate(
            plan,
            run.read_catalogue(index, database),
            read_lists,
            ready.stream.watermark_s,
            run.Outlets(sink, truth_file, counts, show),
        )


def _plan(settings: Settings, options: dict[str, Any]) -> "Plan":
    from segue.clock import system_clock
    from segue.listeners import is_listener
    from streaming.simulator.faults import FaultShares
    from streaming.simulator.run import Plan
    from streaming.simulator.turns import EVENTS_PER_PLAY

    names, seed = options["names"], options["seed"]
    # they are parts of every id, and an id has its limit
    if not is_listener(f"{names}-01") or len(names) > _MAX_NAME_CHARS:
        raise SettingsError(
            f"{names!r} cannot begin the names of listeners; want at most "
            f"{_MAX_NAME_CHARS} letters, digits, dots, dashes or underscores"
        )
    if not 0 <= seed < _SEEDS:
        raise SettingsError(f"--seed is {seed}, want 0 or more, below {_SEEDS}")
    asked = [name for name in ("rate", "plays_per_min", "lifelike") if options[name]]
    if len(asked) > 1:
        first, second = (name.replace("_", "-") for name in asked[:2])
        raise SettingsError(f"--{first} and --{second} exclude each other")
    plays_per_min = options["plays_per_min"] or settings.simulator.plays_per_min
    rate = options["rate"] or plays_per_min * EVENTS_PER_PLAY / 60
    now, into_kafka = system_clock(), options["out"] is None
    start = now if options["start"] is None else options["start"].replace(tzinfo=UTC)
    speed, seconds = options["speed"], options["seconds"]
    if into_kafka:
        if options["start"] is None and speed not in (None, 1.0):
            raise SettingsError(
                "at this --speed live events would not happen now; give a --start of "
                "the past, or --out FILE"
            )
        speed = 1.0 if options["start"] is None else speed
        if options["start"] is not None:
            seconds = _until_now(start, now, seconds)
    return Plan(
        seed=seed,
        n_listeners=options["listeners"] or settings.simulator.n_listeners,
        events_per_s=None if options["lifelike"] else rate,
        start=start,
        speed=speed,
        n_events=options["n_events"],
        seconds=seconds,
        mean_change_s=options["mean_change_s"],
        names=names,
        shares=FaultShares(*(options[name] for name in FaultShares._fields)),
    )


def _until_now(start: datetime, now: datetime, seconds: float | None) -> float:
    past_s = (now - start).total_seconds()
    if past_s <= 0:
        raise SettingsError(f"--start {start:%Y-%m-%dT%H:%M:%SZ} has not come yet")
    return past_s if seconds is None else min(seconds, past_s)


@contextmanager
def _bar(plan: "Plan") -> Iterator[Callable[[int, float], None]]:
    from tqdm import tqdm

    total = plan.n_events or plan.seconds
    unit = "s" if plan.n_events is None and plan.seconds else "event"
    is_quiet = total is None and not sys.stderr.isatty()
    with tqdm(total=total, desc="simulating", unit=unit, disable=is_quiet) as bar:

        def show(n_events: int, at_s: float) -> None:
            bar.update((at_s if unit == "s" else n_events) - bar.n)

        yield show


def _say_counts(counts: "Counter[str]", truth: Path, since: float) -> None:
    rate = counts["sent"] / max(time.monotonic() - since, 0.001)
    faults = ", ".join(
        f"{n} {name}" for name, n in sorted(counts.items()) if name not in _TOTALS
    )
    click.echo(
        f"{counts['sent']} messages of {counts['events']} events, "
        f"{counts['plays']} plays, {rate:.0f}/s"
        + (f", of them {faults}" if faults else "")
    )
    click.echo(f"the truth: {truth}")


def _checked(settings: Settings, out: Path, truth: Path) -> Iterator[str]:
    """Yield what the events tell of the truth; raise where they tell nothing."""
    import numpy as np

    from segue.track_index import read_track_index
    from streaming.simulator.recovery import read_events, recover
    from streaming.simulator.truth import read_truth

    index = read_track_index(settings.home / "index")
    told, crowd = read_truth(truth, index)
    rng = np.random.default_rng(_CHECK_SEED)
    found = recover(read_events(out), told.start, crowd, index, rng)
    yield (
        f"cosine with the taste of the moment: {found.heard_out:.3f} heard out, "
        f"{found.skipped:.3f} skipped, {found.chance:.3f} by chance; "
        f"{found.share_nearer:.1%} of listeners nearer than chance"
    )
    yield (
        f"{found.n_found} of {found.n_jumps} jumps seen within {found.within} plays; "
        f"by luck {found.by_luck:.1f}"
    )
    if not found.is_recovered:
        raise SimulationError("the events do not tell the truth; simulate longer")

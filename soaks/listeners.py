"""Keep many pages open for minutes: the dashboard may lose none, and not grow.

A mongod, a broker and `segue dashboard` run, all real. Each listener's socket looks at
the list, as a page does, and each second some lists change. Then the server is stopped
and started: every socket comes back by the rule of `browser/pages/live.js`. Fails when
a socket ended before that, when the server's memory grew by more than 5 % from the
first third to the last (of what follows the first minute), or when a socket took more
than 10 s to be back.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import click
import numpy as np
import psutil
from tqdm import tqdm
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from benches.dashboard_data import fill
from benches.dashboard_site import NAME, cookie_of, log_in, served, start
from benches.stack import Stack, say, stack
from segue import store
from segue.clock import system_clock
from segue.services import process

_N_TRACKS, _N_LISTENS = 5_000, 20_000
_CHANGES_PER_S: Final = 10
_LOOK_S: Final = 2.0
_WARM_UP_S: Final = 60.0
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.3, 5.0
_BACK_WITHIN_S: Final = 10.0
_GROWTH_AT_MOST: Final = 0.05
_MIB: Final = 1024 * 1024


@dataclass
class Seen:
    """What one socket went through."""

    n_messages: int = 0
    n_ends: int = 0
    waits_ms: list[float] = field(default_factory=list)
    back_at: float = 0.0


@click.command(help=__doc__)
@click.option("--sockets", default=50, show_default=True, help="Pages that are open.")
@click.option("--minutes", default=10.0, show_default=True, help="Two at least.")
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(sockets: int, minutes: float, out: Any) -> None:
    """Run the campaign; see the module."""
    with stack() as running:
        fill(running.settings, running.database, _N_TRACKS, _N_LISTENS, sockets)
        with served(running) as port:
            answer = asyncio.run(_campaign(running, port, sockets, minutes * 60))
    json.dump(answer, out, indent=1)
    out.write("\n")
    if answer["faults"]:
        raise click.ClickException("; ".join(answer["faults"]))


async def _campaign(
    running: Stack, port: int, n_sockets: int, seconds: float
) -> dict[str, Any]:
    names = [f"listener-{number:05d}" for number in range(n_sockets)]
    logins = [await asyncio.to_thread(log_in, running, name) for name in names]
    seen = [Seen() for _ in names]
    looking = [
        asyncio.create_task(_look(port, cookie_of(login), each))
        for login, each in zip(logins, seen, strict=True)
    ]
    memory_mib = await _change_lists(running, names, seconds)
    n_ends = sum(each.n_ends for each in seen)
    say("the server is stopped and started …")
    restart = await _restart(running, port, seen)
    for task in looking:
        task.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    return _judged(seen, n_ends, memory_mib, restart)


async def _look(port: int, cookie: str, seen: Seen) -> None:
    """Look at the list, and come back as a page does."""
    retry_s = _FIRST_RETRY_S
    address, headers = f"ws://127.0.0.1:{port}/ws/live", {"Cookie": cookie}
    while True:
        with suppress(OSError, WebSocketException):
            async with connect(
                address, additional_headers=headers, proxy=None
            ) as open_:
                retry_s = _FIRST_RETRY_S
                await open_.send(json.dumps({"page": "for-you"}))
                opened_at = system_clock()
                async for message in open_:
                    _note(seen, json.loads(message), opened_at)
        seen.n_ends += 1
        await asyncio.sleep(retry_s)
        retry_s = min(2 * retry_s, _LONGEST_RETRY_S)


def _note(seen: Seen, message: dict[str, Any], opened_at: datetime) -> None:
    listed = message["props"].get("for-you")
    if listed is None:
        return
    seen.n_messages += 1
    seen.back_at = time.monotonic()
    if listed.get("data-updated-at"):
        told = datetime.fromisoformat(listed["data-updated-at"])
        if told > opened_at:  # what was there before has not just come
            wait_ms = (system_clock() - told) / timedelta(milliseconds=1)
            seen.waits_ms.append(wait_ms)


async def _change_lists(
    running: Stack, names: list[str], seconds: float
) -> list[tuple[float, float]]:
    """Change lists at a steady rate; return the server's memory, in MiB, over time."""
    lists = running.database[store.RECOMMENDATIONS]
    started, looked, memory = time.monotonic(), 0.0, []
    for number in tqdm(
        range(int(seconds * _CHANGES_PER_S)), "changes", file=sys.stderr, mininterval=10
    ):
        now_s = time.monotonic() - started
        await asyncio.sleep(max(0.0, number / _CHANGES_PER_S - now_s))
        await asyncio.to_thread(_change, lists, names[number % len(names)])
        if now_s - looked >= _LOOK_S:
            looked = now_s
            memory.append((now_s, _server(running).memory_info().rss / _MIB))
    return memory


def _change(lists: Any, name: str) -> None:
    """Move the last row of a list to its top."""
    found = lists.find_one({"_id": name}, {"items": 1})
    items = [found["items"][-1], *found["items"][:-1]]
    rows = [{**each, "rank": rank} for rank, each in enumerate(items, start=1)]
    now = system_clock()
    change = {"items": rows, "updated_at": now, "newest_event_at": now}
    lists.update_one({"_id": name}, {"$set": change})


def _server(running: Stack) -> psutil.Process:
    child = process.find(running.settings.home, NAME)
    if child is None:
        raise click.ClickException("the dashboard has ended")
    return psutil.Process(child.pid)


class Restart(NamedTuple):
    """How long the server was away, and each socket without its page, in seconds."""

    away_s: float
    back_s: list[float]


async def _restart(running: Stack, port: int, seen: list[Seen]) -> Restart:
    stopped = time.monotonic()
    await asyncio.to_thread(process.stop, running.settings.home, NAME)
    await asyncio.to_thread(start, running, port)
    answered = time.monotonic()
    until = answered + 2 * _BACK_WITHIN_S
    while time.monotonic() < until and any(each.back_at < stopped for each in seen):
        await asyncio.sleep(0.05)
    back_s = [
        each.back_at - stopped if each.back_at > stopped else float("inf")
        for each in seen
    ]
    return Restart(answered - stopped, back_s)


def _judged(
    seen: list[Seen],
    n_ends: int,
    memory_mib: list[tuple[float, float]],
    restart: Restart,
) -> dict[str, Any]:
    settled = [mib for at_s, mib in memory_mib if at_s >= _WARM_UP_S]
    thirds = [float(np.median(part)) for part in np.array_split(settled, 3)]
    growth = thirds[-1] / thirds[0] - 1
    waits_ms = [wait for each in seen for wait in each.waits_ms]
    faults = []
    if n_ends:
        faults.append(f"{n_ends} sockets ended while the server ran")
    if growth > _GROWTH_AT_MOST:
        faults.append(f"the server grew by {growth:.1%}")
    slowest_s = max(restart.back_s)
    if slowest_s > _BACK_WITHIN_S:
        faults.append(f"a socket was back {slowest_s:.1f} s after the stop only")
    return {
        "n_sockets": len(seen),
        "n_lists_pushed": sum(each.n_messages for each in seen),
        "push_p50_ms": round(float(np.median(waits_ms)), 1),
        "push_p99_ms": round(float(np.percentile(waits_ms, 99)), 1),
        "ended_while_running": n_ends,
        "rss_mib_by_third": [round(each, 1) for each in thirds],
        "rss_growth": round(growth, 4),
        "away_s": round(restart.away_s, 2),
        "back_after_s": round(slowest_s, 2),
        "faults": faults,
    }


if __name__ == "__main__":
    main()

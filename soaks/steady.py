"""A steady load on the streaming job, and the memory that it takes the longer it runs.

Listeners play and skip, some of them for the first time, and every ten seconds the
memory of the job's processes is noted, of the JVM, of Spark's Python workers together
and of the driver, and that of the services beside it. After the first third, which
warms up, a line is laid through what was seen; told is how much it climbs in an hour,
and the medians of the thirds.
"""

import json
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any, Final

import click
import numpy as np
import psutil

from benches.live_load import Sender, Watcher
from benches.stack import Stack, stack, write_index

_LOOK_S: Final = 10.0
_N_TRACKS: Final = 10_000
_THIRDS: Final = 3
_MIB: Final = 1 << 20
_OF_JOB: Final = ("driver", "jvm", "workers")


@click.command(help=__doc__)
@click.option("--minutes", default=30.0, show_default=True, help="How long.")
@click.option("--rate", default=100.0, show_default=True, help="Events a second.")
@click.option("--listeners", default=5_000, show_default=True, help="Active ones.")
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(minutes: float, rate: float, listeners: int, out: Any) -> None:
    """Run the campaign; see the module."""
    rng = np.random.default_rng(12)
    with stack() as running:
        index = write_index(running.settings.home, _N_TRACKS, rng)
        running.start_stream()
        sender = Sender(running.settings, index.track_ids, listeners, rng)
        with Watcher(running.database) as watcher, _Memory(running) as memory:
            sender.send(rate, minutes * 60, "load")
            running.wait_for("last list", 120, lambda: watcher.has_seen(sender.sent))
            waits_ms = watcher.waits_ms(sender.sent)
    thirds = np.array_split(np.array(waits_ms), _THIRDS)
    answer = {
        "minutes": minutes,
        "n_events": len(waits_ms),
        "latency_p50_ms_by_third": [round(float(np.median(x))) for x in thirds],
        "rss_mib": memory.answer(),
    }
    json.dump(answer, out, indent=1)
    out.write("\n")


class _Memory(threading.Thread):
    """Notes the resident memory of the job's processes, by role, in MiB."""

    def __init__(self, running: Stack) -> None:
        super().__init__(daemon=True)
        self._stack = running
        self._seen: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._is_over = threading.Event()

    def __enter__(self) -> "_Memory":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        """Look every ten seconds until the load ends."""
        start = time.monotonic()
        while not self._is_over.wait(_LOOK_S):
            now_s = time.monotonic() - start
            for role, mib in self._look().items():
                self._seen[role].append((now_s, mib))

    def _look(self) -> dict[str, float]:
        found: dict[str, float] = defaultdict(float)
        for role, processes in self._stack.processes().items():
            for process in processes:
                with suppress(psutil.Error):  # helpers come and go
                    found[role] += process.memory_info().rss / _MIB
        of_job = sum(found[role] for role in _OF_JOB)
        return found | {"job": of_job}

    def answer(self) -> dict[str, Any]:
        """Return of each role the medians by third, and MiB an hour after the first."""
        answer = {}
        for role, seen in self._seen.items():
            at_s, mib = np.array(seen).T
            if len(mib) < _THIRDS:
                continue
            late = at_s > at_s[-1] / _THIRDS
            slope = np.polyfit(at_s[late], mib[late], 1)[0] if late.sum() > 1 else 0.0
            medians = [float(np.median(x)) for x in np.array_split(mib, _THIRDS)]
            answer[role] = {
                "n_looks": len(mib),
                "median_by_third": [round(x) for x in medians],
                "max": round(float(mib.max())),
                "climb_per_hour": round(float(slope) * 3600),
            }
        return answer


if __name__ == "__main__":
    sys.exit(main())

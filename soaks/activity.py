"""The counts of the analytics pages against SQL over the archive.

Simulated events, with copies, late and broken ones, of the last minutes, of ten and of
two hundred days ago, go through the whole stream, which is killed on the way. At the
end every count of every span of `activity` has to be what DuckDB computes from the
archive's files, and listeners within three standard errors of it.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import click
import numpy as np

from benches.stack import Stack, create_bench_index, stack
from segue import store
from segue.clock import system_clock
from segue.track_index import write_track_index
from soaks.activity_made import Message, make_messages, store_tracks
from soaks.counted_by_sql import counts_by_sql, counts_stored, differences
from streaming.archive_files import FOLDER
from streaming.producer import Producer

_SHOWN: Final = 20


@click.command(help=__doc__)
@click.option("--events", "n_events", default=200_000, show_default=True)
@click.option("--listeners", default=5_000, show_default=True)
@click.option("--tracks", default=2_000, show_default=True)
@click.option("--kills", default=2, show_default=True)
@click.option("--minutes", default=20, show_default=True, help="Give up after these.")
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(
    n_events: int, listeners: int, tracks: int, kills: int, minutes: int, out: Any
) -> None:
    """Run the campaign; see the module."""
    with stack() as own:
        index = create_bench_index(tracks, np.random.default_rng(7))
        write_track_index(own.settings.home / "index", index)
        store_tracks(own.database, index)
        now = system_clock()
        made = make_messages(own.database, index, now, n_events, listeners)
        answer = _run(own, made.live + made.forgetting, made.history, kills, minutes)
    json.dump(answer, out, indent=1)
    out.write("\n")
    if answer["n_wrong"]:
        raise SystemExit(1)


def _run(
    own: Stack, live: list[Message], history: list[Message], kills: int, minutes: int
) -> dict[str, Any]:
    kafka, limit_s, since = own.settings.kafka, minutes * 60.0, time.monotonic()
    _send(own, kafka.events_topic, live)
    _send(own, kafka.history_topic, history)
    own.start_stream()
    activity = own.database[store.ACTIVITY]
    n_spans = activity.estimated_document_count
    for _ in range(kills):
        own.wait_for("more spans", limit_s, partial(_more_than, n_spans(), n_spans))
        own.kill_workers()
    counts, n_sent = own.database[store.REJECTED_COUNTS], len(live) + len(history)
    own.wait_for(
        "all messages",
        limit_s,
        lambda: sum(each["n_read"] for each in counts.find()) >= n_sent,
    )
    read_s = time.monotonic() - since
    due = own.database[store.ACTIVITY_DUE]
    own.wait_for("sums", limit_s, lambda: due.find_one() is None)
    due_s = time.monotonic() - since - read_s
    files = sorted((own.settings.home / FOLDER).rglob("[!._]*.parquet"))
    wanted = counts_by_sql(files, own.database, system_clock())
    wrong = differences(counts_stored(own.database), wanted)
    return {
        "n_messages": n_sent,
        "n_documents": n_spans(),
        "n_keys": len(wanted),
        "most_listeners": max(n for _, n in wanted.values()),
        "read_s": round(read_s, 1),
        "sums_s": round(due_s, 1),
        "n_wrong": len(wrong),
        "wrong": [f"{each}: {what}" for each, what in wrong[:_SHOWN]],
    }


def _more_than(n: int, count: Callable[[], int]) -> bool:
    return count() > n


def _send(own: Stack, topic: str, messages: list[Message]) -> None:
    folder = own.settings.home / "spool"
    with Producer(own.settings.kafka, folder, topic) as producer:
        for key, value in messages:
            producer.send_raw(key, value)
        producer.flush()


if __name__ == "__main__":
    main()

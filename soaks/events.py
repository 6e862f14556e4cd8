"""Every message ends where the ledger says, whatever is killed on the way.

Events of many listeners go through our producer, real Kafka and the streaming job:
among them copies, late ones and broken messages, shuffled inside the watermark. The
broker is killed twice, the producer once; whoever was killed is started again. At the
end the parts of the ledger have to hold to the message, the
panes and the archive have to hold each event once, and none may be missing.
"""

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
from kafka import KafkaConsumer, TopicPartition
from tqdm import tqdm

from segue import store
from segue.clock import system_clock
from segue.errors import StreamError
from segue.services import kafka, mongo, process
from segue.services.java import find_java
from segue.services.topics import ensure_topics
from segue.settings import Settings, load_settings, to_environment
from segue.track_index import create_track_index, write_track_index
from soaks.events_made import N_TRACKS, Made, make_messages
from streaming.archive import read_archive

_ROOT: Final = Path(__file__).resolve().parent.parent
_STREAM: Final = "stream"
_WATERMARK_S: Final = 7_200


@click.command(help=__doc__)
@click.option("--events", "n_events", default=1_000_000, show_default=True)
@click.option("--listeners", default=20_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--minutes", default=40, show_default=True, help="Give up after these.")
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(n_events: int, listeners: int, seed: int, minutes: int, out: Any) -> None:
    """Run the campaign; see the module."""
    with tempfile.TemporaryDirectory(prefix="segue-soak-") as folder:
        campaign = Campaign(Path(folder), minutes * 60)
        try:
            answer = campaign.run(n_events, listeners, seed)
        finally:
            campaign.stop()
    json.dump(answer, out, indent=1)
    out.write("\n")
    if answer["violations"]:
        raise SystemExit(1)


class Campaign:
    """The services of one home, which are killed and started again."""

    def __init__(self, home: Path, limit_s: float) -> None:
        self._home, self._limit_s = home, limit_s
        asked = load_settings(os.environ)
        self._java = find_java(asked.spark.java_home)
        (home / "jars").symlink_to(_ROOT / "var" / "jars")
        child = kafka.launch(home, 0, self._java)
        address = kafka.wait(child)
        self._port = int(address.rpartition(":")[2])
        uri = mongo.wait(mongo.launch(home, 0))
        ours = {
            "home": home,
            "kafka": {"bootstrap": address},
            "mongo": {"uri": uri},
            "stream": {"watermark_s": _WATERMARK_S},
            "spark": asked.spark.model_dump(),
        }
        self.settings = Settings.model_validate(ours)
        ensure_topics(self.settings, _say)

    def run(self, n_events: int, n_listeners: int, seed: int) -> dict[str, Any]:
        """Send, kill, wait and compare."""
        rng = np.random.default_rng(seed)
        vectors = rng.normal(size=(N_TRACKS, 16)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        ids = [f"t{n:03d}" for n in range(N_TRACKS)]
        index = create_track_index("soak", ids, vectors)
        write_track_index(self._home / "index", index)
        file = self._home / "messages"
        made = make_messages(file, n_events, n_listeners, system_clock(), rng)
        self._start(_STREAM, "segue", "stream")
        start = time.monotonic()
        self._send_all(file)
        sent_s = time.monotonic() - start
        with closing(store.connect(self.settings.mongo).client) as client:
            database = client[self.settings.mongo.database]
            ledger = self._wait_for_account(database)
            answer = compare(made, ledger, self._found(database))
        return answer | {
            "sent_s": round(sent_s, 1),
            "all_s": round(time.monotonic() - start, 1),
        }

    def stop(self) -> None:
        """End all that was started."""
        for name in reversed(process.names(self._home)):
            process.stop(self._home, name)

    def _send_all(self, file: Path) -> None:
        """Let the producer send everything, and kill it once and the broker twice."""
        done = self._home / "sent"
        size = file.stat().st_size
        kills: list[tuple[float, Callable[[], None]]] = [
            (0.25, self._kill_broker),
            (0.5, lambda: self._kill("sender")),
            (0.75, self._kill_broker),
        ]
        with tqdm(total=size, unit="B", unit_scale=True, desc="sending") as bar:
            while True:
                child = process.find(self._home, "sender")
                is_running = child is not None and child.is_running
                sent = _number_in(done)
                bar.update(sent - bar.n)
                if done.with_suffix(".end").exists():
                    break
                if not is_running:
                    self._start_sender(file, done)
                if kills and sent >= kills[0][0] * size:
                    kills.pop(0)[1]()
                time.sleep(0.1)

    def _start_sender(self, file: Path, done: Path) -> None:
        self._start("sender", "soaks.events_made", str(file), str(done))

    def _start(self, name: str, module: str, *args: str) -> None:
        environment = {**os.environ, **to_environment(self.settings)}
        argv = [sys.executable, "-m", module, *args]
        process.start(self._home, name, argv, environment)

    def _kill(self, name: str) -> None:
        process.kill(self._home, name)
        _say(f"killed {name}")

    def _kill_broker(self) -> None:
        self._kill(kafka.NAME)
        time.sleep(8)
        kafka.wait(kafka.launch(self._home, self._port, self._java))

    def _wait_for_account(self, database: Any) -> Counter[str]:
        """Wait until the stream accounts for every message in Kafka."""
        deadline = time.monotonic() + self._limit_s
        with tqdm(desc="accounted", unit="message", unit_scale=True) as bar:
            while True:
                ledger, n_kafka = read_ledger(database), self._n_in_kafka()
                bar.total = n_kafka
                bar.update(min(ledger["read"], accounted(ledger)) - bar.n)
                if ledger["read"] == n_kafka == accounted(ledger):
                    return ledger
                child = process.find(self._home, _STREAM)
                if child is None or not child.is_running:
                    _say("the stream ended and is started again")
                    self._start(_STREAM, "segue", "stream")
                if time.monotonic() > deadline:
                    raise StreamError(f"no account after {self._limit_s} s: {ledger}")
                time.sleep(1)

    def _n_in_kafka(self) -> int:
        ours = self.settings.kafka
        with closing(KafkaConsumer(bootstrap_servers=ours.bootstrap)) as reader:
            numbers = range(ours.partitions)
            parts = [TopicPartition(ours.events_topic, n) for n in numbers]
            return sum(reader.end_offsets(parts).values())

    def _found(self, database: Any) -> dict[str, Counter[str]]:
        panes: Counter[str] = Counter()
        for pane in database[store.TASTE_WINDOWS].find({}, {"entries.event_id": 1}):
            panes.update(entry["event_id"] for entry in pane["entries"])
        table = read_archive(self._home).to_table(columns=["event_id"])
        return {"panes": panes, "archive": Counter(table["event_id"].to_pylist())}


def read_ledger(database: Any) -> Counter[str]:
    """Return where the messages went."""
    total: Counter[str] = Counter()
    for pane in database[store.TASTE_WINDOWS].find({}, {"entries": 0}):
        total["accepted"] += pane["n_events"]
        total["duplicate"] += pane["n_duplicates"]
        total["unmatched"] += pane["n_unknown_track"]
        total["forgotten"] += pane["n_forgotten"]
        total["over limit"] += pane["n_over_limit"]
    for count in database[store.REJECTED_COUNTS].find():
        total["read"] += count["n_read"]
        total["late"] += count["n_late"]
        total["rejected"] += sum(count["rejected"].values())
    return total


def accounted(ledger: Counter[str]) -> int:
    """Return for how many messages a ledger accounts."""
    return ledger.total() - ledger["read"]


def compare(
    made: Made, ledger: Counter[str], found: dict[str, Counter[str]]
) -> dict[str, Any]:
    """Return the figures, and in `violations` what should not be."""
    violations = []
    for place, ids in found.items():
        twice = sum(n > 1 for n in ids.values())
        lost = len(made.accepted_ids - ids.keys())
        strange = len(ids.keys() - made.accepted_ids)
        if twice or lost or strange:
            violations.append(f"{place}: {lost} lost, {twice} twice, {strange} strange")
    n_unique = len(made.accepted_ids) - made.n_late_ids
    if ledger["accepted"] + ledger["unmatched"] != n_unique:
        violations.append(f"accepted {ledger['accepted']}, want {n_unique}")
    if ledger["rejected"] < made.n_broken or ledger["late"] < made.n_late:
        violations.append("fewer rejected or late than were sent")
    resent = ledger["read"] - made.n_messages
    return {
        "n_messages": made.n_messages,
        "ledger": dict(ledger),
        "n_sent_again": resent,
        "n_late": made.n_late,
        "n_broken": made.n_broken,
        "n_copies": made.n_copies,
        "violations": violations,
    }


def _number_in(path: Path) -> int:
    try:
        return int(path.read_text() or 0)
    except FileNotFoundError:
        return 0


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    sys.exit(main())

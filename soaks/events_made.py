"""Messages for `bin/soak events`, and the process that sends them.

`python -m soaks.events_made MESSAGES SENT` sends each line of MESSAGES, a key, a tab
and a value, and notes in SENT how many bytes of the file are safe; when Kafka has all
of them it makes SENT.end.
"""

import os
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from segue.events import Action, PlaybackEvent
from segue.settings import load_settings
from streaming.producer import Producer
from streaming.simulator.faults import N_WAYS, broken_message

N_TRACKS: Final = 500
SHARE_COPIES: Final = 0.05
SHARE_LATE: Final = 0.05
SHARE_BROKEN: Final = 0.02
_SPAN_S: Final = 3_600
_LATE_S: Final = 14_400
_ACTIONS: Final = (Action.COMPLETED, Action.SKIPPED, Action.STARTED, Action.LIKED)
_AT_ONCE: Final = 5_000


@dataclass(frozen=True)
class Made:
    """What was made.

    Attributes
    ----------
    accepted_ids : set of str
        Events that have to be kept, late ones too.
    n_late, n_late_ids : int
        Late messages, copies of them too; late events.
    """

    n_messages: int
    accepted_ids: frozenset[str]
    n_late: int
    n_late_ids: int
    n_broken: int
    n_copies: int


def make_messages(
    file: Path, n: int, n_listeners: int, now: datetime, rng: np.random.Generator
) -> Made:
    """Write `n` messages in an order that has nothing to do with their times."""
    n_broken, n_copies = int(n * SHARE_BROKEN), int(n * SHARE_COPIES)
    n_events = n - n_broken - n_copies
    is_late = rng.random(n_events) < SHARE_LATE
    lines, late_ids = [], set()
    for number in range(n_events):
        event = _event(number, bool(is_late[number]), n_listeners, now, rng)
        if is_late[number]:
            late_ids.add(event.event_id)
        lines.append(event.user_id.encode() + b"\t" + event.to_json())
    copied = rng.integers(n_events, size=n_copies)
    n_late = int(is_late.sum() + is_late[copied].sum())
    ids = frozenset(_event_id(number) for number in range(n_events))
    lines += [lines[number] for number in copied]
    lines += [_broken(number, lines[number]) for number in range(n_broken)]
    with file.open("wb") as out:
        for number in rng.permutation(len(lines)):
            out.write(lines[number] + b"\n")
    return Made(len(lines), ids, n_late, len(late_ids), n_broken, n_copies)


def _event_id(number: int) -> str:
    return f"e{number:09d}"


def _event(
    number: int,
    is_late: bool,
    n_listeners: int,
    now: datetime,
    rng: np.random.Generator,
) -> PlaybackEvent:
    ago_s = float(rng.random() * _SPAN_S) + (_LATE_S if is_late else 0)
    return PlaybackEvent(
        event_id=_event_id(number),
        user_id=f"listener-{rng.integers(n_listeners):05d}",
        track_id=f"t{rng.integers(N_TRACKS):03d}",
        session_id="s",
        play_id=f"p{number // 3}",
        action=_ACTIONS[int(rng.integers(len(_ACTIONS)))],
        event_time=now - timedelta(milliseconds=int(ago_s * 1000)),
        played_ms=int(rng.integers(240_000)),
        duration_ms=240_000,
    )


def _broken(number: int, line: bytes) -> bytes:
    key, _, value = line.partition(b"\t")
    return key + b"\t" + broken_message(value, number % N_WAYS)


def send(messages: Path, sent: Path) -> None:
    """Send what has not been noted as sent."""
    settings = load_settings(os.environ)
    at = int(sent.read_text()) if sent.exists() else 0
    with (
        messages.open("rb") as file,
        Producer(settings.kafka, settings.home / "spool") as producer,
    ):
        file.seek(at)
        for number, line in enumerate(file, start=1):
            key, _, value = line.rstrip(b"\n").partition(b"\t")
            producer.send_raw(key, value)
            at += len(line)
            if number % _AT_ONCE == 0:
                _note(producer, sent, at)
        _note(producer, sent, at)
        while producer.n_spooled_bytes:
            time.sleep(0.1)
    sent.with_suffix(".end").touch()


def _note(producer: Producer, sent: Path, at: int) -> None:
    producer.flush()
    hidden = sent.with_suffix(".part")
    hidden.write_text(str(at))
    os.replace(hidden, sent)


if __name__ == "__main__":
    send(Path(sys.argv[1]), Path(sys.argv[2]))

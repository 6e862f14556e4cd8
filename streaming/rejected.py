"""The topic of rejected messages: look through it, and try messages again.

The topic is compacted, but copies of a message may still lie in it, and a null value
takes a message out; so it is gone through twice: once to learn which copy of each key
is the newest, once to give these out.
"""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Final

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from segue.clock import Clock
from segue.errors import InvalidEventError, Reason
from segue.events import PlaybackEvent, parse_event
from segue.settings import KafkaSettings, Settings
from streaming.producer import Producer

_POLL_MS: Final = 1000
_PREVIEW_CHARS: Final = 80
_HASH_BYTES: Final = 8


@dataclass(frozen=True)
class RejectedMessage:
    """One message that could not become an event.

    Attributes
    ----------
    key : str
        `topic|partition|offset`: where it lies.
    raw : bytes
        Its bytes; of a large one the first.
    n_bytes : int
        How many it has.
    """

    key: str
    reason: str
    topic: str
    partition: int
    offset: int
    ingested_at: datetime
    raw: bytes
    n_bytes: int

    @property
    def is_whole(self) -> bool:
        """Whether all of its bytes are there."""
        return len(self.raw) == self.n_bytes


class Outcome(StrEnum):
    """What came of trying a message again."""

    SENT = "sent"
    SETTLED = "settled"
    STILL_INVALID = "still_invalid"
    GONE = "gone"


def read_rejected(kafka: KafkaSettings) -> Iterator[RejectedMessage]:
    """Yield every rejected message once, in the order of its partition.

    Memory grows by some hundred bytes a message, whatever its size.
    """
    newest: dict[bytes, tuple[int, int]] = {}
    for record in _records(kafka):
        newest[_hashed(record.key)] = (record.partition, record.offset)
    for record in _records(kafka):
        place = (record.partition, record.offset)
        if record.value is not None and newest.get(_hashed(record.key)) == place:
            yield _message(record.key.decode(), json.loads(record.value))


def preview(raw: bytes) -> str:
    """Return the beginning of some bytes, fit for a terminal.

    Examples
    --------
    >>> preview(b'{"a":1}' + bytes([27]))
    '{"a":1}�'
    """
    text = raw[: 4 * _PREVIEW_CHARS].decode("utf-8", "replace")[:_PREVIEW_CHARS]
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def explanation(raw: bytes) -> str:
    """Return what is wrong with some bytes by the rules of today."""
    try:
        parse_event(raw)
    except InvalidEventError as error:
        return str(error)
    return "it is a valid event by the rules of today"


class Retry:
    """Sends rejected messages again where they are valid by now.

    Parameters
    ----------
    is_known : callable
        Tells whether a track has features by now.
    """

    def __init__(
        self, settings: Settings, is_known: Callable[[str], bool], clock: Clock
    ) -> None:
        self._settings, self._is_known, self._clock = settings, is_known, clock

    def run(
        self, messages: Sequence[RejectedMessage], *, dry_run: bool
    ) -> dict[str, Outcome]:
        """Return what came of each message, by its key.

        What was sent or is settled leaves the topic, after Kafka has it.
        """
        outcomes: dict[str, Outcome] = {}
        for message in messages:
            whole = self._whole(message)
            event = None if whole is None else self._valid(whole)
            outcomes[message.key] = self._outcome(message, whole, event)
            if outcomes[message.key] is Outcome.SENT and event and not dry_run:
                self._send(event, whole or b"", message.topic)
        done = [k for k, o in outcomes.items() if o in (Outcome.SENT, Outcome.SETTLED)]
        if done and not dry_run:
            self._take_out(done)
        return outcomes

    def _outcome(
        self,
        message: RejectedMessage,
        whole: bytes | None,
        event: PlaybackEvent | None,
    ) -> Outcome:
        if whole is None:
            return Outcome.GONE
        if event is None:
            return Outcome.STILL_INVALID
        if message.reason == Reason.UNKNOWN_TRACK:
            # the event rests in its pane and counts by itself
            known = self._is_known(event.track_id)
            return Outcome.SETTLED if known else Outcome.STILL_INVALID
        return Outcome.SENT

    def _valid(self, raw: bytes) -> PlaybackEvent | None:
        try:
            event = parse_event(raw)
        except InvalidEventError:
            return None
        ahead = timedelta(seconds=self._settings.stream.future_tolerance_s)
        return None if event.event_time > self._clock() + ahead else event

    def _whole(self, message: RejectedMessage) -> bytes | None:
        """Return all bytes of a message, from where it was; None if it is gone."""
        if message.is_whole:
            return message.raw
        found = _read_one(self._settings.kafka, message)
        return found if found and found.startswith(message.raw) else None

    def _send(self, event: PlaybackEvent, raw: bytes, topic: str) -> None:
        kafka = self._settings.kafka
        oldest = self._clock() - timedelta(seconds=self._settings.stream.watermark_s)
        if event.event_time < oldest:  # on the live topic it would be late
            topic = kafka.history_topic
        with Producer(kafka, self._settings.home / "spool", topic) as producer:
            producer.send_raw(event.user_id.encode(), raw)

    def _take_out(self, keys: Sequence[str]) -> None:
        kafka = self._settings.kafka
        with KafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
            for key in keys:
                producer.send(kafka.rejected_topic, key=key.encode(), value=None)
            producer.flush()


def counts(outcomes: dict[str, Outcome]) -> dict[str, int]:
    """Return how many messages had each outcome; `found` is their sum."""
    by_outcome = Counter(outcomes.values())
    return {"found": len(outcomes)} | {str(each): by_outcome[each] for each in Outcome}


def _records(kafka: KafkaSettings) -> Iterator[Any]:
    with closing(KafkaConsumer(bootstrap_servers=kafka.bootstrap)) as consumer:
        numbers = consumer.partitions_for_topic(kafka.rejected_topic) or ()
        parts = [TopicPartition(kafka.rejected_topic, number) for number in numbers]
        consumer.assign(parts)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(parts)
        while any(consumer.position(part) < ends[part] for part in parts):
            for records in consumer.poll(timeout_ms=_POLL_MS).values():
                yield from (record for record in records if record.key is not None)


def _read_one(kafka: KafkaSettings, message: RejectedMessage) -> bytes | None:
    part = TopicPartition(message.topic, message.partition)
    with closing(KafkaConsumer(bootstrap_servers=kafka.bootstrap)) as consumer:
        consumer.assign([part])
        if consumer.beginning_offsets([part])[part] > message.offset:
            return None
        consumer.seek(part, message.offset)
        for records in consumer.poll(timeout_ms=10 * _POLL_MS, max_records=1).values():
            for record in records:
                if record.offset == message.offset:
                    value: bytes | None = record.value
                    return value
    return None


def _hashed(key: bytes) -> bytes:
    return blake2b(key, digest_size=_HASH_BYTES).digest()


def _message(key: str, row: dict[str, Any]) -> RejectedMessage:
    return RejectedMessage(
        key,
        row["reason"],
        row["topic"],
        row["partition"],
        row["offset"],
        datetime.fromisoformat(row["ingested_at"]),
        base64.b64decode(row.get("raw_base64") or ""),
        row.get("n_bytes") or 0,
    )

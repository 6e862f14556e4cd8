"""Playback events into Kafka, acknowledged and in order; on disk while it is away.

`docs/decisions/008-producer-on-librdkafka.md` says why this is librdkafka's client.
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Final, Self

import confluent_kafka

from segue.errors import InvalidEventError, KafkaUnreachableError, Reason
from segue.events import PlaybackEvent, parse_event
from segue.fields import MAX_EVENT_BYTES
from segue.settings import KafkaSettings
from streaming.spool import Message, Spool

_LOG = logging.getLogger(__name__)
_MAX_QUEUED: Final = 100_000
_MAX_QUEUED_KIB: Final = 65_536
_POLL_EVERY: Final = 500
_DRAINED_AT_ONCE: Final = 5_000
_RETRY_S: Final = 1.0
_MARGIN_S: Final = 5.0


class Producer:
    """Publishes playback events; one listener's events keep their order.

    The key of a message is its `user_id`, every message is acknowledged by all in-sync
    replicas, and a retry inside the client adds no second copy. While no broker takes
    messages they go to a spool on disk, and later ones behind them; a thread sends them
    when it can, those of an earlier process first.

    Parameters
    ----------
    spool : Path
        Folder of the spools.
    topic : str, optional
        Default is the topic of live events.
    """

    def __init__(
        self, settings: KafkaSettings, spool: Path, topic: str | None = None
    ) -> None:
        self._topic = topic or settings.events_topic
        self._timeout_s = settings.timeout_ms / 1000
        self._bootstrap = str(settings.bootstrap)
        self._client = confluent_kafka.Producer(
            _config(settings) | {"on_delivery": self._not_taken}
        )
        self._spool = Spool(spool / self._topic, settings.spool_mb << 20)
        self._lock = Lock()  # of the spool, and of the way that messages take
        self._is_spooling = not self._spool.is_empty
        self._waiting: list[Message] = []
        self._failed: list[Message] = []
        self._n_sent = 0
        self._end = Event()
        self._drain = Thread(target=self._send_spooled, name="spool", daemon=True)
        self._drain.start()

    def publish(self, *events: PlaybackEvent) -> None:
        """Send events; when this returns, Kafka has them, or they are safe on disk.

        Raises
        ------
        InvalidEventError
            For an event of more than 64 KiB; none of `events` is sent.
        SpoolFullError
            When Kafka is away and the disk takes no more. Sending again is harmless:
            an `event_id` counts once.
        """
        for message in [_message(event) for event in events]:
            self._send(message)
        self.flush()

    def send(self, event: PlaybackEvent) -> None:
        """Send one event without waiting; `flush` tells what became of it.

        Raises
        ------
        InvalidEventError
            For an event of more than 64 KiB.
        SpoolFullError
            As `publish`.
        """
        self._send(_message(event))

    def send_raw(self, key: bytes, value: bytes) -> None:
        """Send bytes as `send` does; what is no event, the stream rejects."""
        self._send(Message(key, value))

    def flush(self) -> None:
        """Wait until Kafka has all that was sent, or it is safe on disk.

        Raises
        ------
        SpoolFullError
            When neither can be.
        """
        if self._n_sent and self._client.flush(self._timeout_s + _MARGIN_S):
            # the client gives each message an answer before that
            raise self._unreachable("it gives no answer")
        self._n_sent = 0
        self._keep_unsent()

    @property
    def n_spooled_bytes(self) -> int:
        """Bytes of events that wait on disk for Kafka."""
        with self._lock:
            return self._spool.n_bytes

    def close(self) -> None:
        """Send or keep what is left; what lies in the spool waits for the next one."""
        try:
            self.flush()
        finally:
            self._end.set()
            self._drain.join()
            self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, message: Message) -> None:
        if self._is_spooling:
            with self._lock:
                self._waiting.append(message)
        else:
            self._produce(message)
            self._n_sent += 1
            if self._n_sent % _POLL_EVERY == 0:
                self._client.poll(0)
        if len(self._failed) + len(self._waiting) >= _POLL_EVERY:
            self._keep_unsent()

    def _produce(self, message: Message) -> None:
        while True:
            try:
                self._client.produce(self._topic, message.value, message.key)
            except BufferError:  # so many are not acknowledged yet
                self._client.poll(0.1)
            else:
                return

    def _not_taken(self, error: Any, message: confluent_kafka.Message) -> None:
        # called from `poll` and `flush`, in the order of sending
        with self._lock:
            self._failed.append(Message(message.key() or b"", message.value() or b""))

    def _keep_unsent(self) -> None:
        """Put what Kafka did not take, and what came after it, on the disk."""
        with self._lock:
            unsent = [*self._failed, *self._waiting]
            self._failed.clear()
            self._waiting.clear()
            if not unsent:
                return
            if not self._is_spooling:
                _LOG.warning("Kafka at %s takes no events; they wait", self._bootstrap)
            self._is_spooling = True
            self._spool.append(unsent)

    def _send_spooled(self) -> None:
        while not self._end.wait(_RETRY_S):
            while self._is_spooling and not self._end.is_set():
                if not self._send_first_spooled():
                    break

    def _send_first_spooled(self) -> bool:
        """Send the first messages of the spool; return whether Kafka took them."""
        with self._lock:
            messages = self._spool.read(_DRAINED_AT_ONCE)
        for message in messages:
            self._produce(message)
        if self._client.flush(self._timeout_s + _MARGIN_S) or self._failed:
            with self._lock:  # these lie in the spool already
                spooled = set(messages)
                self._failed = [m for m in self._failed if m not in spooled]
            return False
        with self._lock:
            if messages:
                self._spool.drop(messages)
            if self._spool.is_empty and not self._waiting:
                self._is_spooling = False
                _LOG.warning("Kafka at %s has all that waited", self._bootstrap)
        return True

    def _unreachable(self, why: str) -> KafkaUnreachableError:
        return KafkaUnreachableError(
            f"Kafka at {self._bootstrap} does not take events ({why}); start it "
            "with `segue up`, or set SEGUE_KAFKA_BOOTSTRAP to a running broker"
        )


def _config(settings: KafkaSettings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.bootstrap,
        "client.id": "segue",
        "acks": "all",
        "enable.idempotence": True,
        # the partition of a key, as Kafka's own client chooses it
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 5,
        "message.timeout.ms": settings.timeout_ms,
        "queue.buffering.max.messages": _MAX_QUEUED,
        "queue.buffering.max.kbytes": _MAX_QUEUED_KIB,
        "reconnect.backoff.max.ms": 1000,
        # one call for each message would cost more than sending it
        "delivery.report.only.error": True,
        "log_level": 0,
    }


def publish_lines(
    producer: Producer, lines: Iterable[bytes], report: Callable[[str], None]
) -> tuple[int, int]:
    """Publish each line that is an event; return how many were sent and refused.

    Parameters
    ----------
    report : callable
        Takes one line for each that was refused: its number and the reason.
    """
    n_sent = n_refused = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            producer.send(parse_event(line))
            n_sent += 1
        except InvalidEventError as error:
            n_refused += 1
            report(f"line {number}: {error}")
    producer.flush()
    return n_sent, n_refused


def _message(event: PlaybackEvent) -> Message:
    content = event.to_json()
    if len(content) > MAX_EVENT_BYTES:
        raise InvalidEventError(
            Reason.TOO_LARGE,
            f"{len(content)} bytes, at most {MAX_EVENT_BYTES} are taken",
        )
    return Message(event.user_id.encode(), content)

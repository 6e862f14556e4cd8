"""Messages that Kafka cannot take now: on disk, in order, until it can.

A folder belongs to one process at a time. Messages are appended to segment files, each
record with its length and checksum, so that one that a crash cut off is recognised; a
record is left behind only when Kafka has it. A crash in between sends it twice, which
is harmless: an `event_id` counts once.
"""

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from segue.errors import SpoolFullError

_HEAD: Final = struct.Struct(">IHI")  # bytes of the value, of the key, CRC-32 of both
_SEGMENT_BYTES: Final = 4 << 20
_POSITION: Final = "position"
_LOCK: Final = "lock"


class Message(NamedTuple):
    """Key and value, as they go to Kafka."""

    key: bytes
    value: bytes


class Spool:
    """A queue of messages on disk.

    Parameters
    ----------
    folder : Path
        Of all spools of a topic; this process takes the first of its subfolders that no
        other process holds, and with it what a process that died has left there.
    max_bytes : int
        Most that may lie there.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._folder, self._lock = _hold_first_free(folder)
        self._segments = sorted(self._folder.glob("*.spool"))
        self._position = self._read_position()
        for segment in self._segments[-1:]:
            _cut_off_torn_record(segment)

    @property
    def n_bytes(self) -> int:
        """Bytes that are still to be sent."""
        sizes = [segment.stat().st_size for segment in self._segments]
        return sum(sizes) - self._position

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be sent."""
        return self.n_bytes == 0

    def append(self, messages: Sequence[Message]) -> None:
        """Add messages; they are on the disk when this returns.

        Raises
        ------
        SpoolFullError
            When they do not fit within the limit, or on the disk; none is added.
        """
        content = b"".join(map(_record, messages))
        if self.n_bytes + len(content) > self._max_bytes:
            raise SpoolFullError(
                f"Kafka is away and {self._folder} holds {self.n_bytes >> 20} MiB of "
                f"events, at most {self._max_bytes >> 20} fit; start Kafka with `segue "
                "up`, or set SEGUE_KAFKA_SPOOL_MB higher"
            )
        try:
            self._write(content)
        except OSError as error:
            raise SpoolFullError(
                f"Kafka is away and events cannot be kept in {self._folder}: {error}"
            ) from error

    def read(self, max_messages: int) -> list[Message]:
        """Return the first messages; they stay until they are dropped."""
        if not self._segments:
            return []
        found: list[Message] = []
        with self._segments[0].open("rb") as file:
            file.seek(self._position)
            for message in _records(file.read(_SEGMENT_BYTES * 2)):
                found.append(message)
                if len(found) == max_messages:
                    break
        return found

    def drop(self, messages: Sequence[Message]) -> None:
        """Leave the first messages behind: Kafka has them."""
        self._position += sum(len(_record(message)) for message in messages)
        if self._position >= self._segments[0].stat().st_size:
            # the position first: an old one would skip messages of the next segment
            self._position = 0
            self._write_position(self._segments[1:])
            self._segments.pop(0).unlink()
        else:
            self._write_position(self._segments)

    def close(self) -> None:
        """Give the folder back; what lies there stays."""
        os.close(self._lock)

    def _write(self, content: bytes) -> None:
        if not self._segments or self._segments[-1].stat().st_size >= _SEGMENT_BYTES:
            last = int(self._segments[-1].stem) if self._segments else 0
            self._segments.append(self._folder / f"{last + 1:010d}.spool")
        with self._segments[-1].open("ab") as file:
            start = file.tell()
            try:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(start)
                raise
        _sync_folder(self._folder)

    def _read_position(self) -> int:
        """Return how much of the first segment Kafka has."""
        try:
            name, _, position = (self._folder / _POSITION).read_text().partition(" ")
        except FileNotFoundError:
            return 0
        is_first = bool(self._segments) and self._segments[0].name == name
        return int(position) if is_first else 0

    def _write_position(self, segments: Sequence[Path]) -> None:
        name = segments[0].name if segments else "-"
        hidden = self._folder / f".{_POSITION}"
        hidden.write_text(f"{name} {self._position}")
        os.replace(hidden, self._folder / _POSITION)


def _hold_first_free(folder: Path) -> tuple[Path, int]:
    for number in count():
        place = folder / str(number)
        place.mkdir(parents=True, exist_ok=True)
        lock = os.open(place / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return place, lock
    raise AssertionError


def _record(message: Message) -> bytes:
    content = message.key + message.value
    head = _HEAD.pack(len(message.value), len(message.key), zlib.crc32(content))
    return head + content


def _records(content: bytes) -> Iterator[Message]:
    """Yield whole records; a torn one ends it."""
    at = 0
    while at + _HEAD.size <= len(content):
        n_value, n_key, checksum = _HEAD.unpack_from(content, at)
        start, end = at + _HEAD.size, at + _HEAD.size + n_key + n_value
        body = content[start:end]
        if len(body) < n_key + n_value or zlib.crc32(body) != checksum:
            return
        yield Message(body[:n_key], body[n_key:])
        at = end


def _cut_off_torn_record(segment: Path) -> None:
    content = segment.read_bytes()
    whole = sum(len(_record(message)) for message in _records(content))
    if whole < len(content):
        with segment.open("r+b") as file:
            file.truncate(whole)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

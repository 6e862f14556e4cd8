"""An open history: a file, a gzip file, or the files in a ZIP."""

import codecs
import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from segue.errors import HistoryError

_HEAD_BYTES: Final = 4096
_SUFFIXES: Final = (".json", ".jsonl", ".csv", ".tsv", ".txt")
# archives hold playlists, searches and feedback, too
_PLAYS: Final = re.compile("streaming_?history|endsong|listens", re.IGNORECASE)
_BOMS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)
"""What reading raises where a file is cut short, broken or locked by a password."""


class Source:
    """An open history: a file, a gzip file, or the histories in a zip file.

    Attributes
    ----------
    n_bytes : int
        Size of the file.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._raw = path.open("rb")
        except OSError as error:
            raise HistoryError(f"cannot read {path}: {error.strerror}") from None
        self.path = path
        self.n_bytes = path.stat().st_size

    def tell(self) -> int:
        """Return how far the file has been read, in bytes."""
        return 0 if self._raw.closed else self._raw.tell()

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def parts(self) -> Iterator[IO[bytes]]:
        """Yield the files in it, in the order of their names."""
        head = self._raw.read(4)
        self._raw.seek(0)
        if head.startswith(b"PK\x03\x04"):
            yield from self._members()
        elif head.startswith(b"\x1f\x8b"):
            yield gzip.GzipFile(fileobj=self._raw)  # type: ignore[misc]
        else:
            yield self._raw

    def _members(self) -> Iterator[IO[bytes]]:
        with zipfile.ZipFile(self._raw) as archive:
            names = sorted(
                info.filename
                for info in archive.infolist()
                if info.filename.lower().endswith(_SUFFIXES)
            )
            for name in [n for n in names if _PLAYS.search(n)] or names:
                with archive.open(name) as member:
                    yield member


def head_of(part: IO[bytes]) -> tuple[str, IO[bytes]]:
    """Return how a part begins, as text, and the part from its beginning."""
    buffered = _Ahead(part)
    return buffered.head.decode(encoding_of(buffered.head), "replace"), buffered  # type: ignore[return-value]


class _Ahead:
    """A binary file of which the head has been looked at."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.head = file.read(_HEAD_BYTES)
        self._left = self.head

    def read(self, n: int) -> bytes:
        if self._left:
            part, self._left = self._left[:n], self._left[n:]
            return part
        return self._file.read(n)


def encoding_of(head: bytes) -> str:
    """Return the encoding that a file's first bytes tell; UTF-8 where they do not."""
    for mark, encoding in _BOMS.items():
        if head.startswith(mark):
            return encoding
    # texts begin with a letter or a bracket, of which UTF-16 makes two bytes
    match [byte == 0 for byte in head[:4]]:
        case [False, True, False, True]:
            return "utf-16-le"
        case [True, False, True, False]:
            return "utf-16-be"
    return "utf-8"

"""The `Range` header of HTTP (RFC 9110, section 14), for one range of bytes."""

import re
from dataclasses import dataclass
from typing import Final

_ONE_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """Number of bytes."""
        return self.last - self.first + 1


class UnsatisfiableRangeError(ValueError):
    """The range asks for bytes that the file does not have; answer 416."""


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Return the range that is asked of a file of `size` bytes, or None for all of it.

    What is not one range of bytes (another unit, several ranges, nonsense) is
    ignored, as the RFC allows.

    Raises
    ------
    UnsatisfiableRangeError
        When the range starts behind the end, or asks for the last 0 bytes.

    Examples
    --------
    >>> parse_range("bytes=0-99", 1000), parse_range("bytes=-50", 1000)
    (ByteRange(first=0, last=99), ByteRange(first=950, last=999))
    >>> parse_range("pages=1-2", 1000) is None
    True
    """
    match = _ONE_RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or match.group(1, 2) == ("", ""):
        return None
    start, end = match.group(1, 2)
    if start == "":
        return _within(max(0, size - int(end)), size - 1, size)
    last = size - 1 if end == "" else int(end)
    if last < int(start) and end != "":
        return None
    return _within(int(start), min(last, size - 1), size)


def _within(first: int, last: int, size: int) -> ByteRange:
    if first >= size:
        raise UnsatisfiableRangeError(f"byte {first} of {size}")
    return ByteRange(first, last)

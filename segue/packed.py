"""Byte strings in one piece."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.store import Document


@dataclass(frozen=True, slots=True)
class Packed:
    """Byte strings, one after the other."""

    content: bytes
    ends: NDArray[np.int32]

    @classmethod
    def of(cls, parts: Iterable[bytes]) -> "Packed":
        """Pack byte strings."""
        listed = list(parts)
        lengths = np.fromiter(map(len, listed), np.int32, len(listed))
        return cls(b"".join(listed), np.cumsum(lengths, dtype=np.int32))

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[bytes]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, place: int) -> bytes:
        start = self.ends[place - 1] if place else 0
        return self.content[start : self.ends[place]]

    def take(self, places: Iterable[np.intp]) -> "Packed":
        """Return those at some places."""
        return Packed.of(self[int(place)] for place in places)

    def as_document(self) -> Document:
        """Return it as BSON has it."""
        return {"content": self.content, "ends": self.ends.tobytes()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Packed":
        """Read what `as_document` returned."""
        return cls(document["content"], np.frombuffer(document["ends"], np.int32))

"""A music folder with its catalogue, for tests."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mutagen.id3
from mutagen.id3 import PictureType
from pymongo.database import Database

from segue import store
from segue.clock import fixed_clock
from segue.library import Progress, ScanSummary, scan_library
from tests.factories import START
from tests.features.sounds import write_sound


@dataclass
class Library:
    """A music folder and its catalogue."""

    music: Path
    database: Database[store.Document]
    covers: Path
    lines: list[str] = field(default_factory=list)
    adds: bool = False
    goes_on: Callable[[Progress], bool] | None = None

    def add(self, name: str, seed: int) -> Path:
        return write_sound(self.music / name, seed, duration_s=0.3)

    def add_tagged(self, name: str, seed: int, **tags: str) -> Path:
        """Add a file with Vorbis comments, whose names mutagen takes as they are."""
        path = self.add(name, seed)
        file = mutagen.File(path)
        for key, value in tags.items():
            file[key] = value
        file.save()
        return path

    def scan(self, **counts: int) -> ScanSummary:
        """Scan, and hold every count that is not named to be 0."""
        summary = scan_library(
            self.music,
            self.database,
            fixed_clock(START),
            self.lines.append,
            covers=self.covers,
            adds=self.adds,
            goes_on=self.goes_on,
        )
        assert summary.adds_up
        outcomes = ("new", "known", "changed", "duplicate", "unreadable", "missing")
        seen = {name: getattr(summary, name) for name in outcomes}
        assert {name: n for name, n in seen.items() if n} == counts
        return summary

    def documents(self) -> dict[str, dict[str, Any]]:
        """Return the tracks that are there, by path below the folder."""
        root = str(self.music.resolve())
        return {
            os.path.relpath(each["path"], root): each
            for each in self.database[store.TRACKS].find({"missing": False})
        }


def embed(path: Path, image: bytes) -> None:
    """Put a front cover into a file."""
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    frame = mutagen.id3.APIC(  # type: ignore[no-untyped-call]
        mime="image/jpeg", type=PictureType.COVER_FRONT, data=image
    )
    file.tags.add(frame)
    file.save()

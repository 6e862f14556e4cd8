"""What a scan of the library knows of a file: by looking at it, and by reading it."""

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Final

from segue.catalog import MIME_TYPES
from segue.covers import find_cover, write_cover
from segue.fma import FmaTracks
from segue.names import artist_id_of, genre_id_of
from segue.store import Document
from segue.tags import read_tags_and_cover
from segue.track_names import name_id_of

OTHER_MIME: Final = "application/octet-stream"
# to be raised when a scan takes more from a file: then all files are read again
_READ_AS: Final = "3"


class Reader:
    """What a scan knows of a file: by looking at it, and by reading it."""

    def __init__(self, root: Path, covers: Path, fma: FmaTracks) -> None:
        self.root, self._covers, self._fma = root, covers, fma
        self._cover_of = cache(lambda folder: find_cover(folder, root))
        self._is_there = cache(Path.is_file)

    def facts(self, path: Path) -> Document:
        """Return what is known of a file without reading it."""
        str(path).encode("utf-8")  # other names cannot be stored
        status = path.stat()
        return {
            "path": str(path),
            "root": str(self.root),
            "mime": MIME_TYPES.get(path.suffix.lower(), OTHER_MIME),
            "size_bytes": status.st_size,
            "mtime_ns": status.st_mtime_ns,
            "read_as": _READ_AS + self._fma.stamp_of(path),
            "missing": False,
        }

    def is_same(self, document: Document, path: Path) -> bool:
        """Whether a file need not be read, as its document still tells what it is."""
        facts = self.facts(path)
        if any(document.get(name) != value for name, value in facts.items()):
            return False
        cover, found = document.get("cover_path"), self._cover_of(path.parent)
        if found is not None or cover is None:
            return cover == (None if found is None else str(found))
        kept = Path(cover)
        return kept.parent == self._covers and self._is_there(kept)

    def read(self, path: Path) -> Document:
        """Return what the tags say, and the cover, where it has to be written out."""
        found = self._cover_of(path.parent)
        tags, image = read_tags_and_cover(path, self.root, with_cover=found is None)
        tags = self._fma.told(path, tags)
        cover = found or write_cover(image, self._covers)
        return asdict(tags) | {
            "cover_path": None if cover is None else str(cover),
            "artist_id": artist_id_of(tags.main_artist),
            "name_id": name_id_of(tags.artist, tags.title),
            "genre_ids": list(map(genre_id_of, tags.genres)),
        }

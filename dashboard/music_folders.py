"""The folders of the library: what is in it, and what an admin may add."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pymongo.asynchronous.database import AsyncDatabase

from dashboard.queries import PRESENT
from dashboard.refusals import RefusedError
from segue import store
from segue.store import Document

_MOST_CHARS: Final = 4096
_OF_THE_SYSTEM: Final = ("/proc", "/sys", "/dev")
_MUSIC: Final = "music"


async def read_folders(database: AsyncDatabase[Document]) -> list[dict[str, Any]]:
    """Return the folders of the library by path, with the number of tracks there.

    `is_added` are those that somebody added, and that can be removed again; tracks that
    have no file are in no folder.
    """
    rows = await database[store.TRACKS].aggregate(
        [
            {"$match": {**PRESENT, "root": {"$type": "string"}}},
            {"$group": {"_id": "$root", "n_tracks": {"$sum": 1}}},
        ]
    )
    n_tracks = {row["_id"]: row["n_tracks"] async for row in rows}
    added = set(await database[store.MUSIC_FOLDERS].distinct("_id"))
    return [
        {"path": path, "n_tracks": n_tracks.get(path, 0), "is_added": path in added}
        for path in sorted(n_tracks.keys() | added)
    ]


def check_folder(
    text: str, home: Path, allowed: Sequence[str], roots: Sequence[str]
) -> Path:
    """Return the folder that is named, without links, if it may be imported.

    Parameters
    ----------
    home : Path
        Folder of Segue's own state, of which only `music` may be imported.
    allowed : sequence of str
        Folders below which it has to be; none: anywhere.
    roots : sequence of str
        Folders of the library.

    Raises
    ------
    RefusedError
        When it may not, or is no folder that can be read.
    """
    path = _real(text)
    own = Path(os.path.realpath(home))
    if path == Path("/") or any(map(path.is_relative_to, _OF_THE_SYSTEM)):
        raise _refused(f"{path} belongs to the system; give the folder of your music")
    in_own = path.is_relative_to(own) and not path.is_relative_to(own / _MUSIC)
    if in_own or own.is_relative_to(path):
        raise _refused(f"{path} holds Segue's own files; give the folder of your music")
    if allowed and not any(path.is_relative_to(os.path.realpath(a)) for a in allowed):
        raise _refused(f"music may be imported from {' or '.join(allowed)} only")
    for root in map(Path, roots):
        if path != root and (path.is_relative_to(root) or root.is_relative_to(path)):
            raise _refused(f"{root} is in the library already, and would be twice")
    return path


def _real(text: str) -> Path:
    if len(text) > _MOST_CHARS or "\0" in text or not text.startswith("/"):
        raise _refused("give the whole path of a folder of the server, from / on")
    try:
        path = Path(text).resolve(strict=True)
        is_folder = path.is_dir()
    except (OSError, RuntimeError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it cannot be followed"
        raise _refused(
            f"there is no folder {text[:200]} on the server: {why}"
        ) from None
    if not is_folder:
        raise _refused(f"{text[:200]} is no folder; give the folder that holds it")
    if not os.access(path, os.R_OK | os.X_OK):
        raise _refused(f"the server may not read {text[:200]}; allow it to")
    return path


def _refused(words: str) -> RefusedError:
    return RefusedError(400, "wrong_folder", words)

"""Which files of the library fail, and which are there more than once.

The feature table knows all files that there ever were; what has gone, or lies outside
the folders of the library, is left out here. Paths are told below their folder, so
that nobody learns how the machine is laid out.
"""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from features.health import last_failures
from features.table import read_failures, read_known, read_stamps
from segue.audio_reports import FailedFile, Failures, Reason

N_FAILED: Final = 500
N_REASONS: Final = 50
_PATH_CHARS: Final = 300
_MESSAGE_CHARS: Final = 200
_ABSOLUTE: Final = re.compile(r"(?<=['\"])/[^'\"\n]*/|(?<![\w.'\"])/(?:[^\s/'\"]+/)+")
_NO_UTF8: Final = re.compile(r"\\u(dc[89a-f][0-9a-f])")
Stamp = tuple[str, int, int]
IsThere = Callable[[Stamp], bool]


@dataclass(frozen=True)
class LibraryFiles:
    """The files of the library.

    Attributes
    ----------
    paths_of : mapping
        Paths of each content that is there.
    """

    roots: Sequence[Path]
    paths_of: Mapping[str, Sequence[str]]

    def below(self, path: str) -> str | None:
        """Return a path below its music folder; None where it is in none."""
        found = [root for root in self.roots if Path(path).is_relative_to(root)]
        if not found:
            return None
        innermost = max(found, key=lambda root: len(root.parts))
        return _short(str(Path(path).relative_to(innermost)), _PATH_CHARS)

    def copies(self) -> list[list[str]]:
        """Return the files of each content that lies there more than once."""
        groups = (self._all_below(paths) for paths in self.paths_of.values())
        return [group for group in groups if len(group) > 1]

    def failed(self, last: Iterable[Mapping[str, Any]]) -> Failures:
        """Return what fails of the library, of the last tries of all that fails."""
        found = [
            (path, failure)
            for failure in last
            if (path := self._place_of(failure)) is not None
        ]
        kinds = Counter((f["stage"], f["error_class"]) for _, f in found)
        again = Counter((f["stage"], f["error_class"]) for _, f in found if f["retry"])
        newest = sorted(found, key=lambda each: each[1]["failed_at"], reverse=True)
        return Failures(
            n_files=len(found),
            reasons=[
                Reason(
                    stage=kind[0], error_class=kind[1], n_files=n, n_retry=again[kind]
                )
                for kind, n in kinds.most_common(N_REASONS)
            ],
            newest=[self._told(path, each) for path, each in newest[:N_FAILED]],
        )

    def _all_below(self, paths: Iterable[str]) -> list[str]:
        return [path for each in paths if (path := self.below(each)) is not None]

    def _place_of(self, failure: Mapping[str, Any]) -> str | None:
        """Return where a file that fails lies by now, below its folder."""
        paths = self.paths_of.get(failure["content_sha256"] or "")
        if failure["content_sha256"] is None:  # it could not even be read
            there = os.path.lexists(as_on_disk(failure["path"]))
            paths = [failure["path"]] if there else []
        return next(iter(self._all_below(paths or ())), None)

    def _told(self, path: str, failure: Mapping[str, Any]) -> FailedFile:
        message = without_folders(failure["message"], self.roots)
        return FailedFile(
            path=path,
            stage=failure["stage"],
            error_class=failure["error_class"],
            message=_short(message, _MESSAGE_CHARS),
            failed_at=failure["failed_at"],
            retry=failure["retry"],
        )


def read_failing(
    folder: Path, roots: Iterable[Path]
) -> tuple[Failures, list[list[str]]]:
    """Return what fails in the library, and what is there more than once.

    Parameters
    ----------
    folder : Path
        The feature table.
    roots : iterable of Path
        Folders of the library.
    """
    last = last_failures(read_failures(folder), read_known(folder))
    wanted = {each["content_sha256"] for each in last}
    paths_of = present_paths(read_stamps(folder), wanted, is_unchanged)
    files = LibraryFiles(sorted({root.resolve() for root in roots}), paths_of)
    return files.failed(last), files.copies()


def present_paths(
    stamps: Mapping[Stamp, str], wanted: set[str], is_there: IsThere
) -> dict[str, list[str]]:
    """Return the paths of contents that several files had, and of `wanted` ones.

    Parameters
    ----------
    stamps : mapping
        SHA-256 of all files that there ever were, oldest first.
    is_there : callable
        Says whether a file still is as it was; asked of these alone.
    """
    stamps_of: dict[str, dict[str, Stamp]] = defaultdict(dict)
    for stamp, sha256 in stamps.items():
        stamps_of[sha256][stamp[0]] = stamp
    found = {
        sha256: [path for path, stamp in files.items() if is_there(stamp)]
        for sha256, files in stamps_of.items()
        if len(files) > 1 or sha256 in wanted
    }
    return {sha256: paths for sha256, paths in found.items() if paths}


def is_unchanged(stamp: Stamp) -> bool:
    """Whether a file is there with the size and the time of change that it had."""
    path, size_bytes, mtime_ns = stamp
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return False
    return (status.st_size, status.st_mtime_ns) == (size_bytes, mtime_ns)


def as_on_disk(path: str) -> str:
    r"""Return a path that the table has in its printable form as the disk has it.

    Examples
    --------
    >>> as_on_disk("caf\\udce9.mp3") == "caf\udce9.mp3"
    True
    """
    return _NO_UTF8.sub(lambda found: chr(int(found[1], 16)), path)


def without_folders(message: str, roots: Iterable[Path]) -> str:
    """Return a message without the folders of absolute paths in it.

    Examples
    --------
    >>> without_folders("no '/srv/music/A/1.ogg' here", [Path("/srv/music")])
    "no 'A/1.ogg' here"
    >>> without_folders("/tmp/x/y.wav is broken at 3/4", [])
    'y.wav is broken at 3/4'
    >>> without_folders("No such file: '/home/a b/c d.ogg'", [])
    "No such file: 'c d.ogg'"
    """
    for root in sorted(roots, key=lambda each: -len(each.parts)):
        message = message.replace(f"{root}/", "")
    return _ABSOLUTE.sub("", message)


def _short(text: str, n_chars: int) -> str:
    """Return the end of a long text: there file names differ."""
    return text if len(text) <= n_chars else f"…{text[-n_chars + 1 :]}"

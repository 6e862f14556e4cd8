"""Notice what happens in a music folder, and build when it has come to rest."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from watchfiles import Change, watch

from segue.catalog import AUDIO_SUFFIXES

SETTLE_S: Final = 2.0
"""A file that changed less than this ago may still be written to."""

_COVER_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})
_TICK_MS: Final = 500
_GATHER_MS: Final = 1000


def build_on_change(
    music: Path, home: Path, rescan_s: float, build: Callable[[], int]
) -> None:
    """Call `build` now, after each change below `music`, and every `rescan_s` seconds.

    The system tells of changes; storage that does not (some network shares) is looked
    through every `rescan_s` seconds.

    Parameters
    ----------
    home : Path
        What happens below is our own doing.
    build : callable
        Returns the number of files that it left for later, since they are still being
        written; then it is called again soon.
    """
    ticks = watch(
        music,
        watch_filter=lambda change, path: is_relevant(change, Path(path), home),
        debounce=_GATHER_MS,
        rust_timeout=_TICK_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    # looked at once before the first build, so that what changes meanwhile is noticed
    next(ticks)
    n_waiting, built_at = build(), time.monotonic()
    for changes in ticks:
        since_s = time.monotonic() - built_at
        is_due = since_s >= (SETTLE_S if n_waiting else rescan_s)
        if changes or is_due:
            n_waiting, built_at = build(), time.monotonic()


def is_relevant(change: Change, path: Path, home: Path) -> bool:
    """Whether a change may concern the library: audio, a cover, or a folder.

    Examples
    --------
    >>> changed, home = Change.modified, Path("/home")
    >>> is_relevant(changed, Path("/m/a.OGG"), home)
    True
    >>> is_relevant(changed, Path("/m/a.part"), home)
    False
    """
    if path.name.startswith(".") or path.is_relative_to(home):
        return False
    suffix = path.suffix.lower()
    is_music = suffix in AUDIO_SUFFIXES or suffix in _COVER_SUFFIXES
    return is_music or change == Change.deleted or path.is_dir()

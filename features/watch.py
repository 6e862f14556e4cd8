"""Notice what happens in a music folder, and build when it has come to rest."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from watchfiles import watch

SETTLE_S: Final = 2.0
"""A file that changed less than this ago may still be written to."""

_TICK_MS: Final = 500
_GATHER_MS: Final = 1000


def build_on_change(music: Path, rescan_s: float, build: Callable[[], int]) -> None:
    """Call `build` now, after each change below `music`, and every `rescan_s` seconds.

    The system tells of changes; storage that does not (some network shares) is looked
    through every `rescan_s` seconds.

    Parameters
    ----------
    build : callable
        Returns the number of files that it left for later, since they are still being
        written; then it is called again soon.
    """
    n_waiting, built_at = build(), time.monotonic()
    ticks = watch(
        music,
        watch_filter=None,
        debounce=_GATHER_MS,
        rust_timeout=_TICK_MS,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    for changes in ticks:
        is_due = time.monotonic() - built_at >= rescan_s
        if changes or n_waiting or is_due:
            n_waiting, built_at = build(), time.monotonic()

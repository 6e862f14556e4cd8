"""How far a scan is, as lines of JSON for whoever started it."""

import json
import signal
import time
from collections.abc import Callable
from typing import Any, Final

from segue.library import Progress

_EVERY_S: Final = 0.25


class Telling:
    """Tells how far a scan is, and ends it at the first SIGTERM.

    Parameters
    ----------
    write : callable
        Takes a line.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._told_at, self._is_told_to_end = write, 0.0, False
        signal.signal(signal.SIGTERM, self._end)

    def __call__(self, progress: Progress) -> bool:
        """Tell, where it is time to, and return whether the scan goes on."""
        now = time.monotonic()
        if now - self._told_at >= _EVERY_S:
            self._told_at = now
            told = progress._asdict() | {"folder": str(progress.folder)}
            # a name that is not UTF-8 is written with a question mark
            self._write(json.dumps(told).encode("utf-8", "replace").decode())
        return not self._is_told_to_end

    def _end(self, _number: int, _frame: Any) -> None:
        self._is_told_to_end = True

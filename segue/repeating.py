"""A thread that does one thing again and again."""

import logging
import threading
from collections.abc import Callable

_LOG = logging.getLogger(__name__)


class Repeating(threading.Thread):
    """Takes a step every so often, until it is told to end.

    Parameters
    ----------
    every_s : float
        Seconds between the end of a step and the next.
    step : callable
        What it raises is logged, and tried again by the next step.
    """

    def __init__(self, name: str, every_s: float, step: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self._every_s, self._step = every_s, step
        self._is_over = threading.Event()

    def run(self) -> None:
        """Take steps."""
        while not self._is_over.wait(self._every_s):
            self._take_step()

    def end(self) -> None:
        """End the thread, and wait until it has."""
        self._is_over.set()
        if self.is_alive():
            self.join()

    def _take_step(self) -> None:
        try:
            self._step()
        except Exception:  # the boundary: what fails once does not end the thread
            _LOG.exception("%s: a step failed, the next one goes on", self.name)

"""The steps of a job: a bar of them, and how long each took."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tqdm import tqdm


class Steps:
    """A bar of the steps, and the seconds that each took."""

    def __init__(self, job: str, names: Sequence[str]) -> None:
        self.seconds: dict[str, float] = {}
        self._n = len(names)
        self._bar = tqdm(total=self._n, desc=job, file=sys.stderr)

    @contextmanager
    def take(self, name: str) -> Iterator[None]:
        """Time the block as the step of this name."""
        self._bar.set_postfix_str(name)
        start = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - start, 2)
        self._bar.update()
        if len(self.seconds) == self._n:
            self._bar.close()

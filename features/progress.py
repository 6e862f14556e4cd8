"""A progress bar that follows a running Spark job."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tqdm import tqdm

_POLL_S: Final = 0.2
_REDRAW_IN_LOG_S: Final = 5.0


@contextmanager
def following(
    what: str, n_files: int, n_bytes: int, done: Callable[[], tuple[int, int]]
) -> Iterator[None]:
    """Show on standard error how far a job is, its rate and the time that is left.

    The bar counts bytes, of which files have very different numbers.

    Parameters
    ----------
    done : callable
        Returns the numbers of files and bytes done so far.
    """
    redraw_s = 0.1 if sys.stderr.isatty() else _REDRAW_IN_LOG_S
    bar = tqdm(
        total=n_bytes,
        desc=what,
        unit="B",
        unit_scale=True,
        mininterval=redraw_s,
        maxinterval=redraw_s,
        dynamic_ncols=True,
    )
    stop = threading.Event()

    def show() -> None:
        files, size = done()
        elapsed_s = bar.format_dict["elapsed"] or 1.0
        rate = f"{files}/{n_files} files, {files / elapsed_s:.1f}/s"
        bar.set_postfix_str(rate, refresh=False)
        bar.update(size - bar.n)

    def follow() -> None:
        while not stop.wait(_POLL_S):
            show()

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        stop.set()
        follower.join()
        show()
        bar.close()

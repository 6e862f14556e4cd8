"""Where Chromium is, and how it is started without a screen."""

import shutil
from typing import Final

from segue.errors import MissingProgramError

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
BROWSER_FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
]


def find_browser() -> str:
    """Return the path of Chromium.

    Raises
    ------
    MissingProgramError
        When there is none.
    """
    for name in _NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    raise MissingProgramError(
        "no Chromium on PATH; install it (Debian: apt-get install chromium), or run "
        "`bin/setup --browser`"
    )

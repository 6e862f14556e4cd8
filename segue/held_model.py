"""The trained model that a process has: the current one, or the last whole one."""

import logging
import time
from functools import lru_cache
from pathlib import Path
from typing import Final

from segue.builds import current_version
from segue.errors import ModelError
from segue.trained_model import FOLDER, TrainedModel, open_model

_LOG = logging.getLogger(__name__)
# after which a model that could not be used is tried again
_AGAIN_S: Final = 5.0


def current_model(home: Path) -> TrainedModel | None:
    """Return the current model; None where none was trained.

    In the place of one that cannot be used, this process keeps the one that it has.
    """
    return _held_in(home / FOLDER).look()


class _Held:
    """The model that this process has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model: TrainedModel | None = None
        self._failed: tuple[str, float] | None = None

    def look(self) -> TrainedModel | None:
        """Return the current model, or the last that could be used."""
        version = current_version(self._folder)
        if version is None:
            return None
        if self._model is not None and self._model.version == version:
            return self._model
        now = time.monotonic()
        failed, until = self._failed or ("", 0.0)
        if failed == version and now < until:
            return self._model
        try:
            self._model = open_model(self._folder, version)
        except ModelError as error:
            if failed != version:
                _LOG.warning("lists go on without it: %s", error)
            self._failed = version, now + _AGAIN_S
        return self._model


@lru_cache(maxsize=8)
def _held_in(folder: Path) -> _Held:
    return _Held(folder)

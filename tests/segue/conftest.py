from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segue import store
from segue.settings import Settings
from tests.segue.music import Library


@pytest.fixture
def library(settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Library]:
    database = store.connect(settings(prepared=True).mongo)
    yield Library(tmp_path / "music", database, tmp_path / "home" / "covers")
    database.client.close()

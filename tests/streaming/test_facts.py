"""What workers know of tracks: the model that is current, or the last that could be."""

import logging
from pathlib import Path

import pytest
from pymongo.database import Database

from segue import store
from segue.builds import make_current
from segue.clock import system_clock
from segue.settings import Settings
from segue.trained_model import FOLDER, use_model, write_model
from streaming.facts import read_learned
from streaming.updating import bring_up_to_date
from tests.factories import create_event, create_index
from tests.models.models import create_trained
from tests.streaming.test_updating import panes_of

INDEX = create_index()


def version_in(home: Path) -> str | None:
    learned = read_learned(home, INDEX)
    return None if learned is None else learned.version


def test_workers_follow_the_pointer(tmp_path: Path) -> None:
    assert read_learned(tmp_path, INDEX) is None
    one, two = create_trained(INDEX, seed=1), create_trained(INDEX, seed=2)
    for model in (one, two):
        write_model(tmp_path / FOLDER, model)
        assert version_in(tmp_path) == model.version
    use_model(tmp_path / FOLDER, one.version)
    assert version_in(tmp_path) == one.version


def test_where_it_names_a_missing_model_the_last_one_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = create_trained(INDEX, seed=3)
    write_model(tmp_path / FOLDER, model)
    assert version_in(tmp_path) == model.version
    make_current(tmp_path / FOLDER, "missing")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert version_in(tmp_path) == model.version
    assert len(caplog.messages) == 1  # said once
    assert "missing lacks a file; run `segue train`" in caplog.text


def test_a_new_process_goes_on_without_a_missing_model(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    make_current(tmp_path / FOLDER, "missing")
    assert read_learned(tmp_path, INDEX) is None


@pytest.mark.mongo
def test_a_list_says_which_model_had_a_part_and_which_neighbour_spoke(
    ready: Settings, database: Database[store.Document]
) -> None:
    model = create_trained(INDEX)
    write_model(ready.home / FOLDER, model)
    panes = {"ada": panes_of([create_event(track_id="t001")])}
    bring_up_to_date(database, panes, INDEX, ready, system_clock)
    listed = database[store.RECOMMENDATIONS].find_one({"_id": "ada"})
    taste = database[store.TASTES].find_one({"_id": "ada"})
    assert listed is not None
    assert taste is not None
    assert listed["model_version"] == taste["model_version"] == model.version
    spoken = {
        item["neighbour"]: item["parts"]["neighbours"] for item in listed["items"]
    }
    assert spoken["t001"] > 0
    assert spoken[None] == 0

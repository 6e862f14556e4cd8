"""A checkpoint is taken by its own query, and by no other."""

import json
from pathlib import Path
from typing import Any

import pytest

from segue.errors import StreamError
from segue.settings import Settings
from streaming.checkpoints import open_checkpoint


def with_stream(home: Path, **stream: Any) -> Settings:
    return Settings.model_validate({"home": home, "stream": stream})


def test_the_same_query_takes_its_checkpoint_again(tmp_path: Path) -> None:
    folder = open_checkpoint(with_stream(tmp_path), "taste")
    (folder / "offsets").mkdir()
    assert open_checkpoint(with_stream(tmp_path, trigger_ms=1), "taste") == folder
    assert open_checkpoint(with_stream(tmp_path), "intake") != folder


def test_another_query_refuses_it_and_says_what_to_do(tmp_path: Path) -> None:
    folder = open_checkpoint(with_stream(tmp_path), "taste")
    with pytest.raises(StreamError, match="pane_s was 300, is 60") as error:
        open_checkpoint(with_stream(tmp_path, pane_s=60), "taste")
    assert str(folder) in str(error.value)
    assert "`segue recompute`" in str(error.value)
    # the other query does not depend on it
    open_checkpoint(with_stream(tmp_path, pane_s=60), "intake")
    plan = json.loads((folder / "segue-plan.json").read_text())
    (folder / "segue-plan.json").write_text(json.dumps(plan | {"version": 1}))
    with pytest.raises(StreamError, match="version was 1, is 3"):
        open_checkpoint(with_stream(tmp_path), "taste")


@pytest.mark.parametrize("content", ['{"x', "[]", "\0\xff"])
def test_a_damaged_plan_is_refused_in_words(tmp_path: Path, content: str) -> None:
    folder = open_checkpoint(with_stream(tmp_path), "taste")
    (folder / "segue-plan.json").write_text(content, "latin-1")
    with pytest.raises(StreamError, match=r"segue-plan\.json is damaged"):
        open_checkpoint(with_stream(tmp_path), "taste")


def test_what_an_earlier_version_left_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / "taste-v2").mkdir(parents=True)
    with pytest.raises(StreamError, match="earlier version"):
        open_checkpoint(with_stream(tmp_path), "taste")


def test_a_checkpoint_of_unknown_origin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / "taste" / "state").mkdir(parents=True)
    with pytest.raises(StreamError, match=r"it has no segue-plan\.json"):
        open_checkpoint(with_stream(tmp_path), "taste")

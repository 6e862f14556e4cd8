"""Models on disk: whole, current, gone back to, damaged."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from segue.builds import builds_of, make_current, prune
from segue.cli import main
from segue.errors import ModelError
from segue.settings import Settings
from segue.trained_model import (
    FOLDER,
    TrainedModel,
    create_model,
    models_of,
    open_model,
    read_model,
    use_model,
    write_model,
)
from tests.factories import create_index
from tests.models.models import create_trained

INDEX = create_index()
DATA = {
    "data": {
        "first_date": "2026-05-01",
        "last_date": "2026-05-03",
        "n_events": 9,
        "n_listeners": 2,
        "n_tracks": 31,
    },
    "trained_at": "2026-05-04T00:00:00.000Z",
}


def trained(seed: int) -> TrainedModel:
    plain = create_trained(INDEX, seed=seed)
    return create_model(
        plain.track_ids,
        plain.factors,
        plain.neighbours,
        plain.followers,
        {**plain.facts, **DATA},
    )


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = trained(1)
    write_model(tmp_path, model)
    read = read_model(tmp_path)
    assert (read.version, read.track_ids) == (model.version, model.track_ids)
    assert dict(read.blend) == {
        "collaborative": 0.3,
        "neighbours": 0.2,
        "followers": 0.1,
    }
    assert (read.confidence, read.regularization) == (5.0, 0.1)
    for got, want in zip(
        (read.factors, *read.neighbours, *read.followers),
        (model.factors, *model.neighbours, *model.followers),
        strict=True,
    ):
        np.testing.assert_array_equal(got, want)
        assert got.dtype == want.dtype


def test_the_version_follows_from_what_was_learned_and_its_shares() -> None:
    assert trained(1).version == trained(1).version != trained(2).version
    other = create_trained(INDEX, collaborative=0.1, seed=1)
    assert other.version != create_trained(INDEX, seed=1).version


def test_going_back_is_one_command(tmp_path: Path) -> None:
    folder, older, newer = tmp_path / FOLDER, trained(1), trained(2)
    write_model(folder, older)
    write_model(folder, newer)
    assert read_model(folder).version == newer.version
    run = CliRunner()
    env = {"SEGUE_HOME": str(tmp_path)}
    done = run.invoke(main, ["models", "use", older.version], env=env)
    assert done.exit_code == 0
    assert read_model(folder).version == older.version
    told = json.loads(run.invoke(main, ["models", "--json"], env=env).output)
    assert [(x["version"], x["is_current"]) for x in told] == [
        (older.version, True),
        (newer.version, False),
    ]
    page = run.invoke(main, ["models"], env=env).output.splitlines()
    assert page[0].startswith(f"* {older.version}  trained 2026-05-04T00:00:00.000Z")
    assert "9 events, 2 listeners, 31 tracks" in page[1]


def test_one_that_is_trained_again_is_the_newest(tmp_path: Path) -> None:
    older, newer = trained(1), trained(2)
    for model in (older, newer, older):
        write_model(tmp_path, model)
    told = [facts["version"] for facts in models_of(tmp_path)]
    assert told == [newer.version, older.version]


def test_the_current_build_and_young_ones_stay(tmp_path: Path) -> None:
    long_ago = time.time() - 7_200
    for n, name in enumerate(("current", "old", "older", ".hidden", "young", "newest")):
        (tmp_path / name).mkdir()
        at = n + (time.time() - 60 if name in ("young", "newest") else long_ago)
        os.utime(tmp_path / name, (at, at))
    make_current(tmp_path, "current")
    prune(tmp_path, n_kept=1)
    left = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    assert left == [".hidden", "current", "newest", "young"]
    assert [path.name for path in builds_of(tmp_path)] == ["current", "young", "newest"]


def test_what_is_not_there_cannot_be_used(tmp_path: Path) -> None:
    write_model(tmp_path / FOLDER, trained(1))
    done = CliRunner().invoke(
        main, ["models", "use", "nothing"], env={"SEGUE_HOME": str(tmp_path)}
    )
    assert done.exit_code == 1
    version = trained(1).version
    assert f"there is no model 'nothing'; there are: {version}" in done.output
    assert read_model(tmp_path / FOLDER).version == version


def test_a_current_model_that_is_gone_is_said(tmp_path: Path) -> None:
    write_model(tmp_path / FOLDER, trained(1))
    make_current(tmp_path / FOLDER, "gone")
    shown = CliRunner().invoke(main, ["models"], env={"SEGUE_HOME": str(tmp_path)})
    assert "the current model, gone, is not there" in shown.stderr


def test_without_a_model_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="run `segue train`"):
        read_model(tmp_path)
    page = CliRunner().invoke(main, ["models"], env={"SEGUE_HOME": str(tmp_path)})
    assert page.output == "no model was trained yet; run `segue train`\n"


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("tracks.parquet", b"PAR1 cut off"),
        ("model.json", b"{"),
        ("model.json", b"[]"),
        ("model.json", b'{"settings": {}, "blend": {}}'),
        (
            "model.json",
            b'{"settings": {"confidence": null, "regularization": 1},'
            b' "blend": {"collaborative": 0.1, "neighbours": 0.1, "followers": 0}}',
        ),
    ],
)
def test_a_damaged_model_is_a_clear_error(
    tmp_path: Path, file: str, content: bytes
) -> None:
    model = trained(3)
    write_model(tmp_path, model)
    (tmp_path / model.version / file).write_bytes(content)
    with pytest.raises(ModelError, match="is not whole"):
        read_model(tmp_path)
    told = [facts["version"] for facts in models_of(tmp_path)]
    assert set(told) <= {model.version}
    with pytest.raises(ModelError):
        use_model(tmp_path, model.version)


def test_another_model_under_its_name_is_told(tmp_path: Path) -> None:
    one, other = trained(4), trained(5)
    write_model(tmp_path, other)
    write_model(tmp_path, one)
    taken = (tmp_path / other.version / "tracks.parquet").read_bytes()
    (tmp_path / one.version / "tracks.parquet").write_bytes(taken)
    with pytest.raises(ModelError, match="is not what was trained"):
        read_model(tmp_path)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_make_no_model(bad: float) -> None:
    model = trained(6)
    factors = model.factors.copy()
    factors[0, 0] = bad
    with pytest.raises(ModelError, match="not finite"):
        create_model(
            model.track_ids, factors, model.neighbours, model.followers, model.facts
        )


def test_shares_that_are_the_whole_may_be_a_little_more_in_binary() -> None:
    one, two, three = (each / (0.05 + 1.5 + 0.5) for each in (0.05, 1.5, 0.5))
    assert one + two + three > 1
    model = create_trained(INDEX, collaborative=one, neighbours=two, followers=three)
    assert list(model.blend.values()) == [one, two, three]
    names = ("collaborative_share", "neighbours_share", "followers_share")
    learning = dict(zip(names, (one, two, three), strict=True))
    assert Settings.model_validate({"learning": learning})


def test_a_model_of_before_says_so(tmp_path: Path) -> None:
    model = trained(3)
    write_model(tmp_path, model)
    file = tmp_path / model.version / "tracks.parquet"
    table = pq.read_table(file).drop_columns(["followers", "follower_likeness"])
    pq.write_table(table, file)
    with pytest.raises(ModelError, match="of an older Segue; run `segue train`"):
        open_model.__wrapped__(tmp_path, model.version)


def test_shares_beyond_the_whole_make_no_model() -> None:
    with pytest.raises(ModelError, match="shares"):
        create_trained(INDEX, collaborative=0.7, neighbours=0.4)
    with pytest.raises(ValueError, match="more than 1"):
        Settings.model_validate(
            {"learning": {"collaborative_share": 0.7, "neighbours_share": 0.4}}
        )

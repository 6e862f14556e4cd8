import numpy as np
import pytest

from segue.composer.master import CEILING_DB, loudness_lufs
from segue.composer.render import render
from segue.composer.score import Score
from segue.composer.sound import SAMPLE_RATE_HZ, Stereo, gain_of
from segue.composer.styles import STYLES, Style

ARTISTS = [(style, artist) for style in STYLES for artist in (0, 1)]
IDS = [f"{style.genre}-{artist}" for style, artist in ARTISTS]


def score_of(style: Style, artist: int, seed: int) -> Score:
    return style.compose(np.random.default_rng(seed), artist)


@pytest.mark.parametrize(("style", "artist"), ARTISTS, ids=IDS)
@pytest.mark.parametrize("seed", range(4))
def test_a_score_is_playable(style: Style, artist: int, seed: int) -> None:
    score = score_of(style, artist, seed)
    seconds = score.n_beats * 60 / score.tempo_bpm + score.tail_s
    assert 40 <= seconds <= 60
    assert len(score.parts) >= 3
    for part in score.parts:
        assert all(0 < note.velocity <= 1 and note.beats > 0 for note in part.notes)
        assert all(-0.5 < note.beat < score.n_beats + 2 for note in part.notes)
        assert all(24 <= note.midi <= 110 for note in part.notes)


@pytest.mark.parametrize(("style", "artist"), ARTISTS, ids=IDS)
def test_the_generator_decides(style: Style, artist: int) -> None:
    first, again, other = (score_of(style, artist, seed) for seed in (1, 1, 2))
    assert [part.notes for part in first.parts] == [part.notes for part in again.parts]
    assert [part.notes for part in first.parts] != [part.notes for part in other.parts]


def rendered(style: Style, artist: int, seed: int) -> Stereo:
    rng = np.random.default_rng(seed)
    return render(style.compose(rng, artist), rng)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.genre)
def test_a_track_sounds_all_the_way_and_never_clips(style: Style) -> None:
    sound = rendered(style, 0, 3)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() <= gain_of(CEILING_DB) + 1e-6
    assert loudness_lufs(sound) == pytest.approx(-16, abs=1.5)
    assert abs(float(sound.mean())) < 1e-3
    n_blocks = sound.shape[1] // (4 * SAMPLE_RATE_HZ)
    blocks = sound[:, : n_blocks * 4 * SAMPLE_RATE_HZ].reshape(2, n_blocks, -1)
    assert blocks.std(axis=2).min() > gain_of(-50)
    assert np.corrcoef(*sound).ravel()[1] < 0.99


@pytest.mark.slow
def test_the_same_seed_gives_the_same_samples() -> None:
    chiptune = next(style for style in STYLES if style.genre == "Chiptune")
    np.testing.assert_array_equal(rendered(chiptune, 1, 5), rendered(chiptune, 1, 5))

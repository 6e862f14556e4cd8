import numpy as np
import pytest

from segue.composer.effects import ducked, panned, ping_pong, reverb, widened
from segue.composer.filters import band_limited, high_pass, low_pass
from segue.composer.master import CEILING_DB, LOUDNESS_LUFS, loudness_lufs, mastered
from segue.composer.sound import SAMPLE_RATE_HZ, Stereo, gain_of, times_s


def tone(hz: float, seconds: float, level: float) -> Stereo:
    wave = level * np.sin(2 * np.pi * hz * times_s(round(seconds * SAMPLE_RATE_HZ)))
    return np.stack([wave, wave]).astype(np.float32)


@pytest.mark.parametrize(
    ("sound", "lufs"),
    [
        # EBU Tech 3341, case 1: 1 kHz at -23 dBFS in both channels is -23 LUFS
        (tone(1000, 5, gain_of(-23)), -23.0),
        # case 3: quiet ends are gated away
        (
            np.concatenate(
                [tone(1000, 3, gain_of(-36)), tone(1000, 10, gain_of(-23))], axis=1
            ),
            -23.0,
        ),
    ],
)
def test_loudness_is_that_of_the_standard(sound: Stereo, lufs: float) -> None:
    assert loudness_lufs(sound) == pytest.approx(lufs, abs=0.15)


def test_silence_is_as_quiet_as_loudness_gets() -> None:
    assert loudness_lufs(np.zeros((2, SAMPLE_RATE_HZ), dtype=np.float32)) == -70.0


@pytest.mark.parametrize("level", [0.001, 0.3, 20.0])
def test_a_master_is_at_the_common_loudness_within_the_ceiling(level: float) -> None:
    noise = np.random.default_rng(1).normal(0, level, (2, 8 * SAMPLE_RATE_HZ))
    sound = mastered(noise.astype(np.float32))
    assert np.abs(sound).max() <= gain_of(CEILING_DB) + 1e-6
    assert loudness_lufs(sound) == pytest.approx(LOUDNESS_LUFS, abs=1.0)
    assert sound[:, 0].tolist() == [0.0, 0.0]
    assert np.abs(sound[:, -1]).max() < 1e-6


def test_filters_take_what_they_should() -> None:
    low, high = tone(100, 1, 0.5), tone(18_000, 1, 0.5)
    assert low_pass(high, 1000.0).std() < 0.01
    assert high_pass(low, 1000.0).std() < 0.01
    assert band_limited(high)[:, 20_000:].std() < 0.35 * gain_of(-90)
    assert band_limited(low)[:, 20_000:].std() == pytest.approx(0.354, rel=0.02)


def test_effects_move_sound_in_space_and_time() -> None:
    click = np.zeros(SAMPLE_RATE_HZ, dtype=np.float32)
    click[100] = 1.0
    left = panned(click, -1.0)
    assert left[0].max() == pytest.approx(1.0)
    assert left[1].max() == pytest.approx(0.0, abs=1e-6)
    echoes = ping_pong(left, 0.25, 0.5)
    assert (
        np.abs(echoes[1, 11_000:12_000]).max() > np.abs(echoes[0, 11_000:12_000]).max()
    )
    room = reverb(left, np.random.default_rng(0), 0.5, 3000.0)
    assert np.abs(room[:, :500]).max() < 1e-6
    assert room[:, 2000:8000].std() > 10 * room[:, -8000:].std()
    wide = widened(np.random.default_rng(1).normal(size=9999).astype(np.float32), 0.8)
    assert abs(np.corrcoef(*wide).ravel()[1]) < 0.9


def test_ducking_presses_down_after_each_kick() -> None:
    flat = np.ones((2, SAMPLE_RATE_HZ), dtype=np.float32)
    pressed = ducked(flat, [0.5], 0.6, 0.1)
    assert pressed[:, :22_000].min() == 1.0
    assert pressed[:, 22_060:22_500].min() == pytest.approx(0.4, abs=0.03)
    assert pressed[:, -1].min() > 0.98


def test_the_limiter_holds_peaks_and_leaves_the_rest() -> None:
    quiet = tone(440, 6, 0.1)
    quiet[:, 100_000:100_100] *= 10.0
    sound = mastered(quiet)
    assert np.abs(sound).max() <= gain_of(CEILING_DB) + 1e-6
    assert loudness_lufs(sound) == pytest.approx(LOUDNESS_LUFS, abs=0.5)

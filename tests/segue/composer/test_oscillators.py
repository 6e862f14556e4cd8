import numpy as np
import pytest

from segue.composer.oscillators import (
    Partials,
    harmonics,
    n_harmonics_below,
    read_tables,
    ring,
    tables,
)
from segue.composer.sound import SAMPLE_RATE_HZ, times_s


def test_ring_equals_the_sum_of_decaying_sines() -> None:
    partials = Partials(
        hz=np.array([220.0, 661.0, 3000.5]),
        decay_s=np.array([2.0, 0.5, 0.1]),
        amplitude=np.array([1.0, 0.5, 0.25]),
        phase=np.array([0.0, 1.0, 2.0]),
    )
    t = times_s(30_000)
    expected = sum(
        a * 10 ** (-3 * t / d) * np.cos(2 * np.pi * hz * t + p)
        for hz, d, a, p in zip(
            partials.hz,
            partials.decay_s,
            partials.amplitude,
            partials.phase,
            strict=True,
        )
    )
    np.testing.assert_allclose(ring(partials, 30_000), expected, atol=2e-6)


def test_ring_leaves_out_what_no_format_keeps() -> None:
    above = Partials(
        np.array([18_000.0]), np.array([1.0]), np.array([1.0]), np.array([0.0])
    )
    assert not ring(above, 1000).any()


@pytest.mark.parametrize("shape", ["saw", "square", "pulse12", "reed"])
def test_a_table_holds_its_harmonics_and_no_others(shape: str) -> None:
    hz = 440.0
    n_harmonics = n_harmonics_below(hz)
    stack = tables(harmonics(shape, n_harmonics)[None, :])
    n = SAMPLE_RATE_HZ
    wave = read_tables(stack, hz * times_s(n), np.zeros(n, dtype=np.float32))
    spectrum = np.abs(np.fft.rfft(wave)) / (n / 2)
    wanted = np.zeros_like(spectrum)
    wanted[(hz * np.arange(1, n_harmonics + 1)).astype(int)] = np.abs(
        harmonics(shape, n_harmonics)
    )
    np.testing.assert_allclose(spectrum, wanted, atol=4e-3)


def test_reading_glides_between_tables() -> None:
    stack = np.stack([np.zeros(2049), np.ones(2049)]).astype(np.float32)
    row = np.array([0.0, 0.25, 1.0], dtype=np.float32)
    assert read_tables(stack, np.zeros(3), row).tolist() == [0.0, 0.25, 1.0]


def test_an_unknown_waveform_is_named() -> None:
    with pytest.raises(ValueError, match="'noise' is no waveform"):
        harmonics("noise", 4)

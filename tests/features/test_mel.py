import librosa
import numpy as np
import pytest

from features import mel
from features.mel import BandStore, MelBands


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 192_000])
def test_bands_are_librosas(rate_hz: int, rng: np.random.Generator) -> None:
    power = rng.exponential(size=(1025, 70)).astype(np.float32)
    bands = MelBands(rate_hz, 2048, 128).of(power)
    filters = mel._filters(rate_hz, 2048, 128)
    np.testing.assert_allclose(bands, filters @ power, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("peak", [1e-12, 1.0, 1e23])
def test_bands_are_clipped_below_the_peak_of_all_as_librosa_does(
    peak: float, rng: np.random.Generator
) -> None:
    blocks = [
        (level * 10 ** rng.uniform(-12, 0, (5, 27))).astype(np.float32)
        for level in (peak / 1e6, peak, peak / 100)
    ]
    expected = librosa.power_to_db(np.concatenate(blocks, axis=1), top_db=80)
    with BandStore(5) as store:
        for block in blocks:
            store.append(block)
        np.testing.assert_allclose(store.mean_db(), expected.mean(axis=1), atol=1e-4)
        clipped = np.concatenate(list(store.clipped_db()), axis=1)
    np.testing.assert_allclose(clipped, expected, atol=1e-4)


def test_a_long_file_goes_to_disk_and_gives_the_same(
    rng: np.random.Generator,
) -> None:
    blocks = [rng.exponential(size=(64, 64)).astype(np.float32) for _ in range(20)]
    means = []
    for kept_bytes in (1 << 30, 10_000):
        with BandStore(64, kept_bytes) as store:
            for block in blocks:
                store.append(block)
            assert store._file._rolled is (kept_bytes == 10_000)  # type: ignore[attr-defined]
            means.append(store.mean_db())
    np.testing.assert_array_equal(means[0], means[1])

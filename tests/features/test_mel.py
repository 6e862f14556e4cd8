import librosa
import numpy as np
import pytest

from features import mel
from features.mel import BandStore, MelBands


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 192_000])
def test_bands_are_librosas(rate_hz: int, rng: np.random.Generator) -> None:
    power = rng.exponential(size=(1025, 70)).astype(np.float32)
    bands = MelBands(rate_hz, 2048, 128).decibels(power)
    filters = mel._filters(rate_hz, 2048, 128)
    expected = librosa.power_to_db(filters @ power, top_db=None)
    np.testing.assert_allclose(bands, expected, atol=1e-3)


def test_the_mean_is_of_bands_clipped_below_the_peak_of_all(
    rng: np.random.Generator,
) -> None:
    blocks = [rng.uniform(-120, level, (5, 7)) for level in (-60, 0, -20)]
    with BandStore(5) as store:
        for block in blocks:
            store.append(block.astype(np.float32))
        mean = store.mean_db()
    whole = np.concatenate(blocks, axis=1)
    expected = np.maximum(whole, whole.max() - 80).mean(axis=1)
    np.testing.assert_allclose(mean, expected, atol=1e-4)


def test_a_long_file_goes_to_disk_and_gives_the_same(
    rng: np.random.Generator,
) -> None:
    blocks = [rng.normal(-40, 20, (64, 64)).astype(np.float32) for _ in range(20)]
    means = []
    for kept_bytes in (1 << 30, 10_000):
        with BandStore(64, kept_bytes) as store:
            for block in blocks:
                store.append(block)
            assert store._file._rolled is (kept_bytes == 10_000)  # type: ignore[attr-defined]
            means.append(store.mean_db())
    np.testing.assert_array_equal(means[0], means[1])

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.fft import LANES, PowerKernel
from features.stft import PowerFrames


def power(samples: np.ndarray, chunks: list[int], n_fft: int, hop: int) -> np.ndarray:
    frames = PowerFrames(n_fft, hop)
    blocks = []
    for part in np.split(samples, np.cumsum(chunks)):
        blocks += [block.copy() for block in frames.push(part)]
    blocks += [block.copy() for block in frames.flush()]
    return np.concatenate(blocks, axis=1)


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large:UserWarning")
@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 9000),
    st.lists(st.integers(0, 3000), max_size=6),
    st.sampled_from([(2048, 512), (512, 128), (128, 128), (32, 8)]),
)
def test_frames_are_librosas_however_the_signal_is_cut(
    n_samples: int, chunks: list[int], sizes: tuple[int, int]
) -> None:
    n_fft, hop = sizes
    samples = np.random.default_rng(n_samples).normal(size=n_samples)
    samples = samples.astype(np.float32)
    expected = np.abs(librosa.stft(samples, n_fft=n_fft, hop_length=hop)) ** 2
    np.testing.assert_allclose(
        power(samples, chunks, n_fft, hop), expected, rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize("n_fft", [8, 32, 512, 2048, 8192])
def test_the_kernel_is_numpys_transform(n_fft: int, rng: np.random.Generator) -> None:
    window = rng.normal(size=n_fft).astype(np.float32)
    kernel = PowerKernel(window, n_fft // 2)
    kernel.hops[:] = hops = rng.normal(size=(n_fft // 2, LANES + 1))
    frames = np.stack([hops.T[t : 2 + t].ravel() for t in range(LANES)], axis=1)
    expected = np.abs(np.fft.rfft(frames * window[:, None].astype(float), axis=0)) ** 2
    np.testing.assert_allclose(kernel(), expected, atol=2e-6 * expected.max())


@pytest.mark.parametrize("n_fft", [2, 1000, 1024, 4096])
def test_other_sizes_are_refused(n_fft: int) -> None:
    with pytest.raises(ValueError, match="power of four"):
        PowerKernel(np.ones(n_fft, dtype=np.float32), n_fft // 2)


def test_a_hop_that_does_not_divide_the_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="no multiple"):
        PowerFrames(2048, 500)

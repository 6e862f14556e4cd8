"""The last step: glue, loudness, limit, fades."""

from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter1d, minimum_filter1d
from scipy.signal import lfilter

from segue.composer.filters import band_limited
from segue.composer.sound import SAMPLE_RATE_HZ, Floats, Stereo, gain_of, n_samples

LOUDNESS_LUFS: Final = -16.0
CEILING_DB: Final = -1.5
_SILENCE_LUFS: Final = -70.0
_BLOCK: Final = 256
# K-weighting of ITU-R BS.1770-4 is defined at 48 kHz; these are the same two analogue
# prototypes (shelf +4 dB, high-pass 38 Hz) by the bilinear transform.
_SHELF: Final = (1681.974450955533, 3.999843853973347, 0.7071752369554196)
_PASS: Final = (38.13547087602444, 0.5003270373238773)


def mastered(mix: Stereo, fade_in_s: float = 0.01, fade_out_s: float = 2.0) -> Stereo:
    """Return `mix` compressed, at the common loudness, limited and faded.

    Returns
    -------
    ndarray, float32, shape (2, n)
        Within the ceiling.
    """
    sound = _faded(_glued(band_limited(mix)), fade_in_s, fade_out_s)
    return _limited(sound * np.float32(gain_of(LOUDNESS_LUFS - loudness_lufs(sound))))


def loudness_lufs(sound: Stereo) -> float:
    """Return the integrated loudness by ITU-R BS.1770-4, with both of its gates."""
    weighted = lfilter(*_k_weighting(), sound, axis=1)
    hop = n_samples(0.1)
    n_hops = sound.shape[1] // hop
    squares = np.square(weighted[:, : n_hops * hop]).reshape(2, n_hops, hop)
    per_hop = squares.mean(axis=2).sum(axis=0)
    power = np.convolve(per_hop, np.full(4, 0.25), mode="valid")
    power = power[_as_lufs(power) > _SILENCE_LUFS]
    if len(power) == 0:
        return _SILENCE_LUFS
    gated = power[_as_lufs(power) > _as_lufs(power.mean()) - 10.0]
    return float(_as_lufs(gated.mean()))


def _as_lufs(power: Floats | np.floating) -> Floats:
    return np.asarray(-0.691 + 10.0 * np.log10(np.maximum(power, 1e-12)))


def _k_weighting() -> tuple[Floats, Floats]:
    (shelf_b, shelf_a), (pass_b, pass_a) = _shelf(), _high_pass_38()
    return np.convolve(shelf_b, pass_b), np.convolve(shelf_a, pass_a)


def _shelf() -> tuple[list[float], list[float]]:
    corner_hz, gain_db, quality = _SHELF
    k = np.tan(np.pi * corner_hz / SAMPLE_RATE_HZ)
    high = 10.0 ** (gain_db / 20.0)
    band = high**0.4996667741545416
    b = [high + band * k / quality + k * k, 2 * (k * k - high)]
    b.append(high - band * k / quality + k * k)
    a = [1 + k / quality + k * k, 2 * (k * k - 1), 1 - k / quality + k * k]
    return b, a


def _high_pass_38() -> tuple[list[float], list[float]]:
    corner_hz, quality = _PASS
    k = np.tan(np.pi * corner_hz / SAMPLE_RATE_HZ)
    a = [1 + k / quality + k * k, 2 * (k * k - 1), 1 - k / quality + k * k]
    # the standard's b is (1, -2, 1) for normalised a
    return [a[0], -2.0 * a[0], a[0]], a


def _glued(sound: Stereo) -> Stereo:
    level_db = 20 * np.log10(np.maximum(_block_power(sound) ** 0.5, 1e-5))
    smooth = gaussian_filter1d(level_db, 60.0)
    over_db = smooth - (np.percentile(smooth, 70) - 3.0)
    return _with_gain(sound, 10.0 ** (-np.maximum(0.0, over_db) * 0.35 / 20.0))


def _limited(sound: Stereo) -> Stereo:
    ceiling = gain_of(CEILING_DB)
    n_blocks = -(-sound.shape[1] // _BLOCK)
    padded = np.pad(sound, ((0, 0), (0, n_blocks * _BLOCK - sound.shape[1])))
    peaks = np.abs(padded).reshape(2, n_blocks, _BLOCK).max(axis=(0, 2))
    need = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    gain = gaussian_filter1d(minimum_filter1d(need, 25), 4.0)
    return np.clip(_with_gain(sound, np.minimum(gain, need)), -ceiling, ceiling)


def _block_power(sound: Stereo) -> Floats:
    n_blocks = sound.shape[1] // _BLOCK
    blocks = sound[:, : n_blocks * _BLOCK].reshape(2, n_blocks, _BLOCK)
    return np.asarray(np.mean(np.square(blocks), axis=(0, 2), dtype=np.float64))


def _with_gain(sound: Stereo, per_block: Floats) -> Stereo:
    centres = (np.arange(len(per_block)) + 0.5) * _BLOCK
    gain = np.interp(np.arange(sound.shape[1]), centres, per_block)
    return sound * gain.astype(np.float32)


def _faded(sound: Stereo, in_s: float, out_s: float) -> Stereo:
    n_in, n_out = n_samples(in_s), n_samples(out_s)
    sound[:, :n_in] *= np.linspace(0.0, 1.0, n_in, dtype=np.float32)
    sound[:, -n_out:] *= np.linspace(1.0, 0.0, n_out, dtype=np.float32) ** 2
    return sound

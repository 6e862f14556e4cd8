"""Effects: rooms, echoes, width, grit."""

from typing import Final

import numpy as np
from scipy.signal import oaconvolve

from segue.composer.filters import high_pass, low_pass
from segue.composer.sound import SAMPLE_RATE_HZ, Mono, Stereo, n_samples, times_s

_N_ECHOES: Final = 7
_PREDELAY_S: Final = 0.012


def panned(signal: Mono, position: float) -> Stereo:
    """Place a sound between left (-1) and right (1) at constant power."""
    angle = (position + 1.0) * np.pi / 4.0
    gains = np.array([[np.cos(angle)], [np.sin(angle)]], dtype=np.float32)
    return signal[None, :] * gains


def widened(signal: Mono, amount: float, rate_hz: float = 0.6) -> Stereo:
    """Spread a sound by two slowly moving delays; `amount` from 0 to 1."""
    dry, wet = np.float32(0.7 - 0.35 * amount), np.float32(0.7 * amount)
    sides = []
    for phase in (0.0, 0.25):
        delay_s = 0.014 + 0.0035 * _slow_sine(len(signal), rate_hz, phase)
        sides.append(dry * signal + wet * _delayed(signal, delay_s))
    return np.stack(sides)


def wobbled(signal: Stereo, depth_s: float, rate_hz: float) -> Stereo:
    """Return a tape that runs unevenly: pitch moves up and down by a little."""
    n = signal.shape[1]
    delay_s = 1.5 + _slow_sine(n, rate_hz) + 0.1 * _slow_sine(n, 7.3 * rate_hz)
    delay_s *= np.float32(depth_s)
    return np.stack([_delayed(side, delay_s) for side in signal])


def _slow_sine(n: int, hz: float, cycles: float = 0.0) -> Mono:
    """Return a sine far below hearing, in float32: quick, and fine enough."""
    turn = np.arange(n, dtype=np.float32) * np.float32(2 * np.pi * hz / SAMPLE_RATE_HZ)
    return np.asarray(np.sin(turn + np.float32(2 * np.pi * cycles)), dtype=np.float32)


def _delayed(signal: Mono, delay_s: Mono) -> Mono:
    delay = delay_s * np.float32(SAMPLE_RATE_HZ)
    whole = delay.astype(np.int32)
    part = delay - whole
    place = np.arange(len(signal), dtype=np.int32) - whole
    np.maximum(place, 1, out=place)
    return np.asarray(signal[place] * (1 - part) + signal[place - 1] * part)


def reverb(
    signal: Stereo, rng: np.random.Generator, seconds: float, damping_hz: float
) -> Stereo:
    """Return the echo of a room: convolution with two tails of decaying noise.

    Parameters
    ----------
    signal : ndarray, shape (2, n)
        What is sent into the room.
    rng : Generator
        Makes the room.
    seconds : float
        Time in which the low end falls by 60 dB; the high end falls twice as fast.
    damping_hz : float
        Where low ends and high begins.
    """
    # at half the sample rate, so every frequency is told to the filters as its double
    halved = 0.5 * (signal[:, 0:-1:2] + signal[:, 1::2])
    t = 2.0 * times_s(n_samples(seconds / 2.0))
    noise = rng.standard_normal((2, len(t)), dtype=np.float32)
    low = low_pass(noise, 2.0 * damping_hz, 1)
    high = 0.4 * (noise - low)
    tail = low * np.exp(-6.9 * t / seconds) + high * np.exp(-14.0 * t / seconds)
    tail *= 1.0 - np.exp(-t / 0.006)
    room = high_pass(tail.astype(np.float32), 2.0 * 120.0)
    room /= np.sqrt(np.mean(np.sum(np.square(room), axis=1)))
    pause = np.zeros((2, n_samples(_PREDELAY_S / 2.0)), dtype=np.float32)
    wet = oaconvolve(halved, np.concatenate([pause, room], axis=1), axes=1)
    return _doubled(wet, signal.shape[1])


def _doubled(halved: Stereo, n: int) -> Stereo:
    """Return `n` samples of a signal at half the sample rate, by straight lines."""
    sound = np.empty((2, n), dtype=np.float32)
    n_even, n_odd = (n + 1) // 2, n // 2
    sound[:, 0::2] = halved[:, :n_even]
    sound[:, 1::2] = 0.5 * (halved[:, :n_odd] + halved[:, 1 : n_odd + 1])
    return sound


def ping_pong(signal: Stereo, delay_s: float, feedback: float) -> Stereo:
    """Return echoes that change sides and lose treble each time."""
    wet = np.zeros_like(signal)
    echo = low_pass(high_pass(signal, 200.0), 5000.0, 1)
    shift = n_samples(delay_s)
    for number in range(1, _N_ECHOES + 1):
        first = shift * number
        if first >= signal.shape[1]:
            break
        sides = echo[::-1] if number % 2 else echo
        wet[:, first:] += np.float32(feedback**number) * sides[:, : -first or None]
    return wet


def ducked(signal: Stereo, at_s: list[float], depth: float, back_s: float) -> Stereo:
    """Press `signal` down at each of the times, as a kick does through a compressor."""
    since_s = times_s(n_samples(8 * back_s))
    dip = depth * np.exp(-since_s / back_s) * np.minimum(1.0, since_s / 0.003)
    curve = (1.0 - dip).astype(np.float32)
    gain = np.ones(signal.shape[1], dtype=np.float32)
    for start_s in at_s:
        place = gain[n_samples(start_s) :][: len(curve)]
        np.minimum(place, curve[: len(place)], out=place)
    return np.asarray(signal * gain, dtype=np.float32)


def saturated(signal: Mono, drive: float) -> Mono:
    """Return `signal` through a soft valve; `drive` is the gain before it."""
    level = np.float32(drive / max(float(np.abs(signal).max(initial=0.0)), 1e-6))
    return np.asarray(np.tanh(signal * level), dtype=np.float32)


def crushed(signal: Mono, n_levels: int) -> Mono:
    """Return `signal` in as few levels as an old console has."""
    peak = max(float(np.abs(signal).max(initial=0.0)), 1e-6)
    scale = np.float32(n_levels / 2 / peak)
    return np.asarray(np.round(signal * scale) / scale, dtype=np.float32)


def crackle(rng: np.random.Generator, n: int, per_second: float) -> Stereo:
    """Return the dust and hiss of an old record."""
    dust = np.zeros((2, n), dtype=np.float32)
    n_clicks = round(per_second * n / SAMPLE_RATE_HZ)
    places = rng.integers(0, n, n_clicks)
    sizes = rng.exponential(0.3, n_clicks).astype(np.float32)
    dust[rng.integers(0, 2, n_clicks), places] = sizes
    hiss = rng.standard_normal((2, n), dtype=np.float32) * np.float32(0.004)
    return low_pass(dust * 3.0 + hiss, 6000.0)

"""Envelopes: how loud a note is over its time."""

from dataclasses import dataclass

import numpy as np

from segue.composer.sound import Mono, n_samples, times_s


@dataclass(frozen=True)
class Adsr:
    """Attack, decay, sustain, release; times in seconds, sustain from 0 to 1."""

    attack_s: float = 0.005
    decay_s: float = 0.2
    sustain: float = 0.7
    release_s: float = 0.1


def adsr(shape: Adsr, held_s: float) -> Mono:
    """Return the envelope of a note that is held for `held_s` and then let go.

    Returns
    -------
    ndarray, float32, shape (n_samples(held_s + release_s),)
        From 0 to 1, and back to 0 at the end.
    """
    n_held = n_samples(held_s)
    t = times_s(n_held)
    rise = np.minimum(1.0, t / max(shape.attack_s, 1e-4))
    fall = np.exp(-np.maximum(0.0, t - shape.attack_s) / max(shape.decay_s, 1e-3))
    held = rise * (shape.sustain + (1.0 - shape.sustain) * fall)
    n_release = n_samples(shape.release_s)
    release = np.linspace(1.0, 0.0, n_release) ** 2 * held[-1]
    return np.concatenate([held, release]).astype(np.float32)


def decay(n: int, seconds: float) -> Mono:
    """Return an exponential that falls by 60 dB in `seconds`."""
    return np.exp(-6.907755 * times_s(n) / seconds).astype(np.float32)


def released(signal: Mono, held_s: float, release_s: float) -> Mono:
    """Return `signal` cut after `held_s`, with a smooth end of `release_s`."""
    n_held = min(n_samples(held_s), len(signal))
    tail = signal[n_held : n_held + n_samples(release_s)]
    fade = np.linspace(1.0, 0.0, len(tail), dtype=np.float32) ** 2
    return np.concatenate([signal[:n_held], tail * fade])

"""Drums: short sounds made of swept sines and shaped noise."""

from dataclasses import dataclass

import numpy as np

from segue.composer.envelopes import decay
from segue.composer.filters import band_pass, high_pass, low_pass
from segue.composer.sound import Mono, n_samples, times_s, unit_peak


@dataclass(frozen=True)
class Kick:
    """A swept sine: from `top_hz` to `base_hz`, with a click and some drive."""

    base_hz: float = 48.0
    top_hz: float = 180.0
    sweep_s: float = 0.035
    decay_s: float = 0.45
    click: float = 0.15
    drive: float = 1.5


def kick(rng: np.random.Generator, shape: Kick) -> Mono:
    """Return a bass drum."""
    n = n_samples(shape.decay_s)
    t = times_s(n)
    glide_s = shape.sweep_s * (1.0 - np.exp(-t / shape.sweep_s))
    cycles = shape.base_hz * t + (shape.top_hz - shape.base_hz) * glide_s
    body = np.sin(2.0 * np.pi * cycles) * decay(n, shape.decay_s * 1.1)
    click = rng.standard_normal(n) * decay(n, 0.012) * shape.click
    driven = np.tanh(shape.drive * (body + click)) * _fade_out(n)
    return unit_peak(driven.astype(np.float32))


def snare(
    rng: np.random.Generator, tone_hz: float, decay_s: float, tone: float
) -> Mono:
    """Return a snare; `tone` is the share of the skin against the wires."""
    n = n_samples(decay_s)
    t = times_s(n)
    skin = np.sin(2 * np.pi * (tone_hz * t + 1.5 * (1 - np.exp(-t / 0.02))))
    skin = skin + 0.6 * np.sin(2 * np.pi * 1.62 * tone_hz * t)
    wires = high_pass(_noise(rng, n), 1100.0) * decay(n, decay_s)
    mixed = tone * skin * decay(n, decay_s * 0.6) + (1.0 - tone) * wires
    return unit_peak((mixed * _fade_out(n)).astype(np.float32))


def clap(rng: np.random.Generator, decay_s: float = 0.22) -> Mono:
    """Return a hand clap: four bursts of noise close together."""
    n = n_samples(decay_s)
    noise = band_pass(_noise(rng, n), 800.0, 3500.0)
    envelope = decay(n, decay_s) * 0.7
    for start_s in (0.0, 0.011, 0.021):
        first = n_samples(start_s)
        envelope[first:] = np.maximum(envelope[first:], decay(n - first, 0.03))
    return unit_peak(noise * envelope * _fade_out(n))


def hat(rng: np.random.Generator, decay_s: float, corner_hz: float = 7000.0) -> Mono:
    """Return a hi-hat; the longer the decay, the more open."""
    n = n_samples(decay_s)
    t = times_s(n)
    metal = np.zeros(n)
    for tone_hz in (2050.0, 3072.0, 4166.0, 5222.0, 6250.0, 8210.0):
        metal += np.sign(np.sin(2 * np.pi * tone_hz * t))
    mixed = 0.35 * metal.astype(np.float32) + _noise(rng, n)
    return unit_peak(high_pass(mixed, corner_hz) * decay(n, decay_s) * _fade_out(n))


def cymbal(rng: np.random.Generator, decay_s: float = 2.0) -> Mono:
    """Return a crash cymbal."""
    n = n_samples(decay_s)
    bright = high_pass(_noise(rng, n), 4500.0) * decay(n, decay_s)
    dark = band_pass(_noise(rng, n), 1200.0, 5000.0) * decay(n, decay_s * 0.6)
    return unit_peak((bright + 0.5 * dark) * _fade_out(n))


def rim(hz: float = 1700.0, decay_s: float = 0.06) -> Mono:
    """Return a rim shot or wood block."""
    n = n_samples(decay_s)
    t = times_s(n)
    tone = np.sin(2 * np.pi * hz * t) + 0.5 * np.sin(2 * np.pi * 2.63 * hz * t)
    return unit_peak((tone * decay(n, decay_s)).astype(np.float32))


def tom(hz: float, decay_s: float = 0.5) -> Mono:
    """Return a tom or hand drum, whose pitch falls a little."""
    n = n_samples(decay_s)
    t = times_s(n)
    cycles = hz * (t + 0.6 * 0.05 * (1 - np.exp(-t / 0.05)))
    tone = np.sin(2 * np.pi * cycles) + 0.3 * np.sin(2 * np.pi * 1.59 * cycles)
    return unit_peak((tone * decay(n, decay_s) * _fade_out(n)).astype(np.float32))


def shaker(rng: np.random.Generator, decay_s: float = 0.09) -> Mono:
    """Return one shake: noise that swells and falls."""
    n = n_samples(decay_s)
    swell = np.sin(np.pi * np.linspace(0, 1, n) ** 0.6) ** 2
    noise = band_pass(_noise(rng, n), 4000.0, 11_000.0)
    return unit_peak((noise * swell).astype(np.float32))


def chip_noise(rng: np.random.Generator, decay_s: float, hold: int) -> Mono:
    """Return the noise channel of an old console: random levels, each held a while."""
    n = n_samples(decay_s)
    levels = np.repeat(rng.choice([-1.0, 1.0], n // hold + 1), hold)[:n]
    stepped = np.ceil(15 * decay(n, decay_s)) / 15
    return low_pass((levels * stepped).astype(np.float32), 12_000.0)


def _noise(rng: np.random.Generator, n: int) -> Mono:
    return rng.standard_normal(n, dtype=np.float32)


def _fade_out(n: int) -> Mono:
    n_fade = min(n, n_samples(0.01))
    fade = np.ones(n, dtype=np.float32)
    fade[n - n_fade :] = np.linspace(1.0, 0.0, n_fade)
    return fade

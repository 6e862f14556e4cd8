"""Instruments: callables from (frequency, length, velocity) to the sound of a note.

Each is a frozen set of parameters; calling one twice gives the same samples.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np

from segue.composer.envelopes import Adsr, adsr, released
from segue.composer.oscillators import (
    Partials,
    harmonics,
    low_pass_gain,
    n_harmonics_below,
    read_tables,
    ring,
    tables,
)
from segue.composer.sound import Floats, Mono, n_samples, times_s

_GOLDEN: Final = 0.61803398875
_MIN_CUTOFF_HZ: Final = 40.0
_N_TABLES: Final = 14
_FORMANT_OCTAVES: Final = 0.4


class Instrument(Protocol):
    """Anything that plays a note."""

    def __call__(self, hz: float, seconds: float, velocity: float) -> Mono:
        """Return the note, its release included; velocity from 0 to 1 colours it."""


@dataclass(frozen=True)
class Sample:
    """One recorded sound, whatever the pitch: the drums."""

    sound: Mono

    def __call__(self, hz: float, seconds: float, velocity: float) -> Mono:
        """Return the sound."""
        return self.sound


@dataclass(frozen=True)
class Synth:
    """Detuned band-limited waves through a resonant low-pass with an envelope.

    Attributes
    ----------
    shape : str
        Waveform, see :func:`segue.composer.oscillators.harmonics`.
    cutoff_hz, sweep_octaves, sweep_s : float
        Corner at rest; how far above it a note starts, and how fast that falls.
    resonance : float
        0.7 is flat, 8 whistles.
    n_voices, detune_cents : int, float
        Unison.
    vibrato_hz, vibrato_cents : float
        Vibrato, which grows in over the first half second.
    breath : float
        Share of noise that follows the envelope.
    formants : tuple of (float, float)
        Centre in Hz and extra gain of the resonances of a body, 0.4 octaves wide.
    """

    shape: str = "saw"
    envelope: Adsr = field(default_factory=Adsr)
    cutoff_hz: float = 4000.0
    sweep_octaves: float = 0.0
    sweep_s: float = 0.2
    resonance: float = 0.7
    n_voices: int = 1
    detune_cents: float = 0.0
    vibrato_hz: float = 5.0
    vibrato_cents: float = 0.0
    breath: float = 0.0
    formants: tuple[tuple[float, float], ...] = ()

    def __call__(self, hz: float, seconds: float, velocity: float) -> Mono:
        """Return the note."""
        envelope = adsr(self.envelope, seconds)
        t = times_s(len(envelope))
        stack, row = self._filter(hz, velocity, t)
        wave = np.zeros(len(t), dtype=np.float32)
        for voice in range(self.n_voices):
            wave += read_tables(stack, self._cycles(hz, voice, t), row)
        wave *= np.float32(1.0 / np.sqrt(self.n_voices))
        if self.breath:
            noise = np.random.default_rng(round(hz * 10)).standard_normal(len(t))
            wave += (self.breath * noise).astype(np.float32)
        return wave * envelope

    def _cycles(self, hz: float, voice: int, t: Floats) -> Floats:
        place = 2.0 * voice / (self.n_voices - 1) - 1.0 if self.n_voices > 1 else 0.0
        cents = self.detune_cents * place
        pitch = hz * 2.0 ** (cents / 1200.0)
        start = (voice * _GOLDEN + hz * _GOLDEN) % 1.0
        if not self.vibrato_cents:
            return np.asarray(pitch * t + start)
        rate = self.vibrato_hz * (1.0 + 0.07 * voice)
        depth_s = self.vibrato_cents / 1200.0 * np.log(2.0) / (2.0 * np.pi * rate)
        swing = np.sin(2.0 * np.pi * (rate * t + start)) * np.minimum(1.0, 2.0 * t)
        return np.asarray(pitch * (t + depth_s * swing) + start)

    def _filter(self, hz: float, velocity: float, t: Floats) -> tuple[Mono, Mono]:
        amplitudes = harmonics(self.shape, n_harmonics_below(hz))
        k_hz = hz * np.arange(1.0, len(amplitudes) + 1)
        for centre_hz, gain in self.formants:
            distance = np.log2(k_hz / centre_hz) / _FORMANT_OCTAVES
            amplitudes = amplitudes * (1.0 + gain * np.exp(-(distance**2)))
        base = max(_MIN_CUTOFF_HZ, self.cutoff_hz * (0.6 + 0.6 * velocity))
        octaves = self.sweep_octaves * (0.4 + 0.6 * velocity)
        n_tables = _N_TABLES if octaves else 1
        cutoffs = base * 2.0 ** (octaves * np.linspace(0, 1, n_tables))
        gains = low_pass_gain(k_hz[None, :], cutoffs[:, None], self.resonance)
        row = (n_tables - 1) * np.exp(-t / max(self.sweep_s, 1e-3))
        return tables(amplitudes * gains), row.astype(np.float32)


@dataclass(frozen=True)
class Pluck:
    """A plucked string: Karplus and Strong's decay of harmonics in closed form.

    Attributes
    ----------
    decay_s : float
        Seconds in which the fundamental of A3 falls by 60 dB.
    brightness_hz : float
        Harmonics above it are weak from the start and die first.
    position : float
        Where the string is plucked, as a share of its length.
    """

    decay_s: float = 3.0
    brightness_hz: float = 3000.0
    position: float = 0.17
    release_s: float = 0.12

    def __call__(self, hz: float, seconds: float, velocity: float) -> Mono:
        """Return the note."""
        k = np.arange(1.0, n_harmonics_below(hz, 11_000.0) + 1)
        bright_hz = self.brightness_hz * (0.5 + 0.8 * velocity)
        level = np.sin(np.pi * k * self.position) / k**0.8
        level = level / (1.0 + (k * hz / bright_hz) ** 2)
        decay_s = (
            self.decay_s * np.sqrt(220.0 / hz) / (1.0 + (k * hz / bright_hz) ** 1.5)
        )
        stretch = k * np.sqrt(1.0 + 4e-5 * k**2)
        wave = ring(
            Partials(hz * stretch, decay_s, level, 2 * np.pi * (k * _GOLDEN)),
            n_samples(seconds + self.release_s),
        )
        return released(_soft_start(wave, 0.001), seconds, self.release_s)


@dataclass(frozen=True)
class Piano:
    """A struck string: stretched partials, two strings a note, a hammer.

    Attributes
    ----------
    hardness_hz : float
        Corner of the hammer: felt 700, concert grand 2500.
    decay_s : float
        Seconds in which the fundamental of A3 falls by 60 dB.
    """

    hardness_hz: float = 2200.0
    decay_s: float = 7.0
    release_s: float = 0.25

    def __call__(self, hz: float, seconds: float, velocity: float) -> Mono:
        """Return the note."""
        k = np.arange(1.0, n_harmonics_below(hz, 9000.0) + 1)[:36]
        corner_hz = self.hardness_hz * (0.35 + velocity)
        level = np.abs(np.sin(np.pi * k * 0.12)) / k / (1 + (k * hz / corner_hz) ** 2)
        decay_s = self.decay_s * (220.0 / hz) ** 0.6 / (1.0 + 0.12 * (k - 1))
        stretched = hz * k * np.sqrt(1.0 + 3.5e-4 * k**2)
        both = np.concatenate([stretched * 0.9997, stretched * 1.0003])
        partials = Partials(
            both,
            np.concatenate([decay_s, decay_s * 0.45]),
            np.concatenate([level, level]),
            np.concatenate([k * 1.0, k * 1.7]),
        )
        wave = ring(partials, n_samples(seconds + self.release_s))
        return released(_soft_start(wave, 0.003), seconds, self.release_s)


@dataclass(frozen=True)
class Bell:
    """A ring of partials that are no harmonics: bells, gongs, glass, electric pianos.

    Attributes
    ----------
    ratios, levels, decays_s : tuple of float
        Frequency over that of the note, amplitude and 60 dB decay of each partial.
    beat_hz : float
        Each partial is doubled at this distance, and beats.
    """

    ratios: tuple[float, ...] = (1.0, 2.76, 5.4, 8.93)
    levels: tuple[float, ...] = (1.0, 0.6, 0.35, 0.2)
    decays_s: tuple[float, ...] = (3.0, 2.0, 1.0, 0.5)
    beat_hz: float = 0.0
    attack_s: float = 0.002
    release_s: float = 0.4

    def __call__(self, hz: float, seconds: float, velocity: float) -> Mono:
        """Return the note; it rings beyond `seconds` by the release only."""
        tilt = (0.35 + 0.65 * velocity) ** np.arange(len(self.ratios))
        level = np.asarray(self.levels) * tilt
        decay_s = np.asarray(self.decays_s) * np.sqrt(330.0 / hz)
        tone_hz = hz * np.asarray(self.ratios)
        phase = np.arange(2.0 * len(tone_hz)) * 2.4
        partials = Partials(
            np.concatenate([tone_hz, tone_hz + self.beat_hz]),
            np.concatenate([decay_s, decay_s]),
            np.concatenate([level, 0.7 * level]),
            phase if self.beat_hz else np.resize(phase[: len(tone_hz)], len(phase)),
        )
        wave = ring(partials, n_samples(seconds + self.release_s))
        return released(_soft_start(wave, self.attack_s), seconds, self.release_s)


def _soft_start(wave: Mono, seconds: float) -> Mono:
    n = min(n_samples(seconds), len(wave))
    wave[:n] *= np.linspace(0.0, 1.0, n, dtype=np.float32)
    return wave


ELECTRIC_PIANO: Final = Bell(
    ratios=(1.0, 2.0, 3.0, 4.0, 6.98, 14.1),
    levels=(1.0, 0.35, 0.14, 0.06, 0.05, 0.035),
    decays_s=(4.0, 2.2, 1.4, 1.0, 0.5, 0.2),
    beat_hz=0.25,
    release_s=0.15,
)
BRONZE: Final = Bell(
    ratios=(1.0, 1.52, 2.41, 2.92, 3.9, 5.12, 6.7),
    levels=(1.0, 0.45, 0.55, 0.3, 0.28, 0.2, 0.14),
    decays_s=(4.0, 2.6, 2.2, 1.6, 1.2, 0.9, 0.6),
    beat_hz=3.1,
    release_s=0.6,
)
GONG: Final = Bell(
    ratios=(1.0, 1.18, 1.57, 2.09, 2.61, 3.3, 4.02, 5.3),
    levels=(1.0, 0.7, 0.6, 0.4, 0.3, 0.22, 0.18, 0.12),
    decays_s=(9.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.2),
    beat_hz=1.3,
    attack_s=0.012,
    release_s=2.0,
)
GLASS: Final = Bell(
    ratios=(1.0, 2.32, 4.25, 6.63, 9.38),
    levels=(1.0, 0.4, 0.3, 0.16, 0.09),
    decays_s=(2.4, 1.4, 0.9, 0.5, 0.3),
    beat_hz=0.7,
    release_s=0.8,
)
MARIMBA: Final = Bell(
    ratios=(1.0, 3.93, 9.6),
    levels=(1.0, 0.35, 0.12),
    decays_s=(0.9, 0.3, 0.12),
    release_s=0.2,
)

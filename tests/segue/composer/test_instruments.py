import numpy as np
import pytest

from segue.composer.envelopes import Adsr
from segue.composer.instruments import (
    BRONZE,
    ELECTRIC_PIANO,
    Instrument,
    Piano,
    Pluck,
    Synth,
)
from segue.composer.sound import SAMPLE_RATE_HZ, Mono

INSTRUMENTS = [
    ELECTRIC_PIANO,
    Piano(),
    Pluck(),
    Synth("saw", n_voices=3, detune_cents=8),
    Synth("flute", vibrato_cents=12, breath=0.02),
    Synth("square", sweep_octaves=3, resonance=5),
]


def strongest_hz(sound: Mono) -> float:
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 18))
    return float(spectrum.argmax() * SAMPLE_RATE_HZ / (1 << 18))


@pytest.mark.parametrize("instrument", INSTRUMENTS)
@pytest.mark.parametrize("hz", [220.0, 523.25])
def test_an_instrument_is_in_tune(instrument: Instrument, hz: float) -> None:
    heard = strongest_hz(instrument(hz, 1.0, 0.6))
    octave = heard / hz
    nearest = max(1, round(octave))
    assert abs(1200 * np.log2(octave / nearest)) < 25


@pytest.mark.parametrize("instrument", [*INSTRUMENTS, BRONZE])
def test_a_note_is_finite_repeatable_and_ends_softly(instrument: Instrument) -> None:
    note = instrument(330.0, 0.4, 0.8)
    assert note.dtype == np.float32
    assert np.isfinite(note).all()
    assert np.abs(note).max() > 0.01
    assert np.abs(note[-20:]).max() < 0.02 * np.abs(note).max()
    np.testing.assert_array_equal(note, instrument(330.0, 0.4, 0.8))


def brightness_hz(sound: Mono) -> float:
    power = np.square(np.abs(np.fft.rfft(sound)))
    hz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ)
    return float((power * hz).sum() / power.sum())


@pytest.mark.parametrize("instrument", [Piano(), Pluck(), ELECTRIC_PIANO, Synth("saw")])
def test_a_harder_touch_is_brighter(instrument: Instrument) -> None:
    soft, hard = (instrument(220.0, 0.5, velocity) for velocity in (0.25, 1.0))
    assert brightness_hz(hard) > brightness_hz(soft)


def test_the_release_makes_a_note_longer() -> None:
    short, long = (
        Synth("sine", Adsr(release_s=release_s))(440.0, 0.5, 1.0)
        for release_s in (0.1, 0.6)
    )
    assert len(long) - len(short) == round(0.5 * SAMPLE_RATE_HZ)

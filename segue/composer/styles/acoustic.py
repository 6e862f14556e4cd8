"""Plucked folk and solo piano: the family of strings struck by hand."""

import numpy as np

from segue.composer.drums import shaker, tom
from segue.composer.envelopes import Adsr
from segue.composer.harmony import DORIAN, MAJOR, MINOR, MIXOLYDIAN, SEVENTH, TRIAD
from segue.composer.instruments import Piano, Pluck, Synth
from segue.composer.melody import melody
from segue.composer.patterns import arpeggio, bass_line, hits, sustained
from segue.composer.score import Part, Room, Score
from segue.composer.styles.frame import Frame, Outline, beat, begin, pick

_FOLK = (
    Outline(
        (100, 112), 7, MIXOLYDIAN, ((0, 6, 3, 0), (0, 3, 0, 4)), ((3, 0, 6, 0),), TRIAD
    ),
    Outline(
        (96, 108), 2, DORIAN, ((0, 6, 0, 3), (0, 3, 6, 0)), ((2, 6, 3, 0),), TRIAD, 3
    ),
)
_REEL = (
    (0.5, 0.5, 0.5, 0.5, 1.0, 1.0),
    (1.0, 0.5, 0.5, 1.0, 1.0),
    (1.5, 0.5, 1.0, 1.0),
    (0.5, 0.5, 1.0, 0.5, 0.5, 1.0),
)
_WALTZ = ((1.0, 0.5, 0.5, 1.0), (1.5, 0.5, 1.0), (2.0, 1.0), (0.5, 0.5, 1.0, 1.0))
_PICKING = (
    (0, 3, 2, 4, 1, 3, 2, 4),
    (0, 2, 3, 1, 4, 2, 3, 2),
    (0, 4, 3, 2, 1, 3, 4, 2),
)
_HARP = ((0, 1, 2, 3, 4, 2), (0, 2, 1, 3, 2, 4), (0, 1, 2, 4, 3, 2))

_FLUTE = Synth(
    "flute", Adsr(0.06, 0.4, 0.85, 0.12), 4500, vibrato_cents=16, breath=0.03
)


def folk(rng: np.random.Generator, artist: int) -> Score:
    """Compose folk: two steel guitars (0), or harp and flute in three (1)."""
    frame = begin(rng, _FOLK[artist])
    parts = (_guitars, _harp_and_flute)[artist](frame)
    room = Room(reverb_s=(1.2, 1.6)[artist], damping_hz=4000)
    return Score(frame.tempo_bpm, frame.form.n_beats, parts, room)


def _guitars(frame: Frame) -> list[Part]:
    rng = frame.rng
    picked = arpeggio(
        frame.chords(57), frame.bars("IABKO"), pick(rng, _PICKING), held_steps=2.5
    )
    tune = melody(rng, frame.harmony, frame.bars("ABK"), _REEL, 71)
    low = bass_line(frame.harmony, frame.bars("ABO"), "r___ 5___", 3)
    over = melody(rng, frame.harmony, frame.bars("B"), _REEL, 76)
    steel = Pluck(4.0, 4200.0, 0.13)
    return [
        Part(frame.loose(picked, 0.015), steel, -18.5, pan=-0.35, reverb=0.2),
        Part(frame.loose(tune, 0.018), Pluck(3.0, 5200.0, 0.21), -18.5, 0.3, 0, 0.25),
        Part(frame.loose(low), Pluck(5.0, 900.0, 0.3), -18.0, pan=0.0, reverb=0.08),
        Part(frame.loose(over, 0.02), _FLUTE, -23.0, pan=0.1, reverb=0.4),
        beat(
            frame.loose(hits("x-o- x-o- ", frame.bars("AB"))), shaker(rng), -31.0, 0.4
        ),
        beat(frame.loose(hits("x... x...", frame.bars("B"))), tom(80.0), -24.0),
    ]


def _harp_and_flute(frame: Frame) -> list[Part]:
    rng = frame.rng
    picked = arpeggio(
        frame.chords(60), frame.bars("IABKO"), pick(rng, _HARP), 3, held_steps=4.0
    )
    tune = melody(rng, frame.harmony, frame.bars("AB"), _WALTZ, 74)
    low = bass_line(frame.harmony, frame.bars("ABO"), "r____.", 3, 3)
    echo = melody(rng, frame.harmony, frame.bars("KB"), _WALTZ, 71)
    return [
        Part(frame.loose(picked, 0.02), Pluck(5.0, 3200.0, 0.2), -17.5, -0.25, 0, 0.35),
        Part(frame.loose(low), Pluck(6.0, 900.0, 0.3), -18.5, reverb=0.15),
        Part(frame.loose(tune, 0.02), _FLUTE, -20.5, pan=0.2, reverb=0.4),
        Part(frame.loose(echo, 0.02), Pluck(3.0, 4800.0, 0.2), -19.5, 0.3, 0, 0.3),
        beat(
            frame.loose(hits("x-o-o-", frame.bars("AB"), 3)), shaker(rng), -31.0, -0.3
        ),
    ]


_PIANO = (
    Outline((72, 82), 3, MAJOR, ((0, 5, 3, 4), (0, 2, 3, 4)), ((5, 3, 0, 4),), TRIAD),
    Outline((88, 98), 0, MINOR, ((0, 5, 2, 6), (0, 3, 5, 4)), ((5, 6, 0, 0),), SEVENTH),
)
_SUNG = (
    (1.5, 0.5, 1.0, 1.0),
    (1.0, 0.5, 0.5, 2.0),
    (0.5, 0.5, 0.5, 0.5, 2.0),
    (2.0, 0.5, 0.5, 1.0),
)
_SPARSE = ((2.0, 2.0), (3.0, 1.0), (-1.0, 1.0, 2.0), (1.0, 1.0, 2.0))
_BROKEN = ((0, 2, 4, 3, 5, 4, 3, 2), (0, 2, 3, 4, 5, 4, 3, 2))
_MINIMAL = (
    (0, 2, 1, 3) * 4,
    (0, 1, 3, 2, 1, 3) * 2 + (1, 3, 2, 3),
    (0, 3, 1, 3, 2, 3, 1, 3) * 2,
)


def piano(rng: np.random.Generator, artist: int) -> Score:
    """Compose for piano alone: lyrical on a grand (0), or minimal on felt (1)."""
    frame = begin(rng, _PIANO[artist])
    parts = (_lyrical, _minimal)[artist](frame)
    room = Room(reverb_s=(2.3, 1.8)[artist], damping_hz=(3200, 2600)[artist])
    return Score(frame.tempo_bpm, frame.form.n_beats, parts, room, tail_s=3.5)


def _lyrical(frame: Frame) -> list[Part]:
    rng = frame.rng
    grand = Piano(1900.0, 8.0)
    left = arpeggio(
        frame.chords(50), frame.bars("IABO"), pick(rng, _BROKEN), held_steps=5.0
    )
    held = sustained(frame.chords(52), frame.bars("K"), velocity=0.45)
    right = melody(rng, frame.harmony, frame.bars("ABK"), _SUNG, 74)
    octave = melody(rng, frame.harmony, frame.bars("B"), _SPARSE, 83)
    return [
        Part(frame.loose(left + held, 0.025), grand, -20.5, pan=-0.2, reverb=0.25),
        Part(frame.loose(right, 0.025), grand, -17.0, pan=0.15, reverb=0.28),
        Part(frame.loose(octave, 0.025), grand, -24.0, pan=0.25, reverb=0.3),
    ]


def _minimal(frame: Frame) -> list[Part]:
    rng = frame.rng
    felt = Piano(1000.0, 5.5, 0.35)
    running = arpeggio(
        frame.chords(57), frame.bars("IABKO"), pick(rng, _MINIMAL), held_steps=2.0
    )
    low = bass_line(frame.harmony, frame.bars("ABO"), "r_______ ____5___", 2)
    over = melody(rng, frame.harmony, frame.bars("AB"), _SPARSE, 72)
    return [
        Part(frame.loose(running, 0.012), felt, -18.5, pan=0.1, reverb=0.2),
        Part(frame.loose(low, 0.012), felt, -19.5, pan=-0.2, reverb=0.15),
        Part(frame.loose(over, 0.02), felt, -18.5, pan=0.2, reverb=0.25),
    ]

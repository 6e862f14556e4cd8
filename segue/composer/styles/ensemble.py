"""String ensemble and noise rock: the family of many players in one room."""

import numpy as np

from segue.composer.drums import Kick, cymbal, hat, kick, snare
from segue.composer.effects import saturated
from segue.composer.envelopes import Adsr
from segue.composer.filters import high_pass, low_pass
from segue.composer.harmony import MAJOR, MINOR, MIXOLYDIAN, POWER, TRIAD
from segue.composer.instruments import Pluck, Synth
from segue.composer.melody import melody
from segue.composer.patterns import arpeggio, bass_line, fills, hits, stabs, sustained
from segue.composer.score import Note, Part, Room, Score
from segue.composer.sound import Mono
from segue.composer.styles.frame import Frame, Outline, beat, begin, crashes, pick

_STRINGS = (
    Outline((66, 74), 10, MINOR, ((0, 5, 3, 4), (0, 3, 6, 2)), ((5, 2, 6, 0),), TRIAD),
    Outline((104, 114), 1, MAJOR, ((0, 4, 5, 3), (0, 2, 3, 4)), ((5, 3, 1, 4),), TRIAD),
)
_LEGATO = ((2.0, 1.0, 1.0), (3.0, 1.0), (1.0, 1.0, 2.0), (1.5, 0.5, 2.0))
_MARCH = ((1.0, 0.5, 0.5, 1.0, 1.0), (1.5, 0.5, 2.0), (2.0, 1.0, 1.0))
_OSTINATI = (
    (0, 2, 1, 2, 3, 2, 1, 2),
    (0, 0, 2, 1, 0, 0, 3, 2),
    (0, 1, 2, 3, 2, 1, 2, 1),
)


def strings(rng: np.random.Generator, artist: int) -> Score:
    """Compose for strings: a slow chorale (0), or spiccato and pizzicato (1)."""
    frame = begin(rng, _STRINGS[artist])
    parts = (_chorale, _spiccato)[artist](frame)
    room = Room(reverb_s=(3.0, 2.0)[artist], damping_hz=3500)
    return Score(frame.tempo_bpm, frame.form.n_beats, parts, room, tail_s=3.5)


_WOOD = ((290.0, 1.1), (480.0, 0.8), (1100.0, 0.9), (2600.0, 1.2))


def _section(attack_s: float, cutoff_hz: float, vibrato_cents: float = 16.0) -> Synth:
    return Synth(
        "saw",
        Adsr(attack_s, 0.6, 0.85, 0.35),
        cutoff_hz,
        n_voices=4,
        detune_cents=9,
        vibrato_hz=5.3,
        vibrato_cents=vibrato_cents,
        breath=0.012,
        formants=_WOOD,
    )


def _chorale(frame: Frame) -> list[Part]:
    rng = frame.rng
    inner = sustained(frame.chords(62), frame.bars("IABKO"))
    cellos = bass_line(frame.harmony, frame.bars("ABKO"), "r_______ ____5___", 3)
    violins = melody(rng, frame.harmony, frame.bars("ABO"), _LEGATO, 76)
    solo = melody(rng, frame.harmony, frame.bars("BK"), _LEGATO, 67)
    return [
        Part(frame.loose(inner, 0.03), _section(0.28, 2000), -20.0, 0, 0.7, 0.4),
        Part(frame.loose(cellos, 0.03), _section(0.2, 1300), -19.0, 0.3, 0, 0.3),
        Part(
            frame.loose(violins, 0.03),
            _section(0.16, 3600, 20),
            -18.0,
            pan=-0.3,
            reverb=0.4,
        ),
        Part(frame.loose(solo, 0.03), _section(0.2, 2400, 22), -21.5, 0.15, 0, 0.4),
    ]


def _spiccato(frame: Frame) -> list[Part]:
    rng = frame.rng
    order = pick(rng, _OSTINATI)
    short = Synth(
        "saw",
        Adsr(0.018, 0.1, 0.25, 0.12),
        3200,
        n_voices=3,
        detune_cents=10,
        breath=0.02,
        formants=_WOOD,
    )
    running = arpeggio(frame.chords(67), frame.bars("IABO"), order, held_steps=0.5)
    lower = arpeggio(frame.chords(55), frame.bars("ABK"), order[::2], held_steps=0.6)
    plucked = bass_line(frame.harmony, frame.bars("IABKO"), "r.5. r.5.", 3)
    tune = melody(rng, frame.harmony, frame.bars("ABK"), _MARCH, 77)
    return [
        Part(frame.loose(running), short, -19.5, pan=-0.35, reverb=0.35),
        Part(frame.loose(lower), short, -21.0, pan=0.35, reverb=0.35),
        Part(frame.loose(plucked), Pluck(1.4, 1400.0, 0.35), -19.0, 0.2, 0, 0.3),
        Part(
            frame.loose(tune, 0.02),
            _section(0.1, 4200, 18),
            -19.0,
            width=0.5,
            reverb=0.4,
        ),
    ]


_ROCK = (
    Outline((132, 142), 4, MINOR, ((0, 5, 2, 6), (0, 0, 5, 6)), ((5, 6, 0, 0),), POWER),
    Outline(
        (92, 102), 2, MIXOLYDIAN, ((0, 0, 3, 3), (0, 6, 3, 0)), ((5, 3, 0, 6),), POWER
    ),
)
_RIFFS = ("x.xx x.xx x.xx x.x.", "x..x ..x. x..x ..xx", "xxxx xxxx xxxx xxxx")
_HOOKS = ((1.0, 1.0, 1.0, 1.0), (1.5, 1.5, 1.0), (2.0, 1.0, 1.0), (0.5, 0.5, 1.0, 2.0))


def noise_rock(rng: np.random.Generator, artist: int) -> Score:
    """Compose noise rock: fast and dry (0), or a slow wall of guitars (1)."""
    frame = begin(rng, _ROCK[artist])
    low = bass_line(frame.harmony, frame.bars("ABKO"), "r.r.r.r. r.r.r.r.", 2)
    picked = Pluck(3.0, 1500.0, 0.1)
    parts = [
        *_kit(frame, artist),
        Part(frame.loose(low), picked, -17.0, reverb=0.03, effect=_warm),
        *((_fast, _wall)[artist](frame)),
    ]
    room = Room(reverb_s=(0.9, 3.2)[artist], damping_hz=4500, delay_beats=0.75)
    return Score(frame.tempo_bpm, frame.form.n_beats, parts, room)


def _warm(signal: Mono) -> Mono:
    return saturated(signal, 2.5)


def _fuzz(signal: Mono) -> Mono:
    """Drive a guitar hard, then play it through a loudspeaker."""
    hot = saturated(high_pass(signal, 110.0), 30.0)
    return low_pass(high_pass(hot, 90.0), 4800.0, 4)


def _kit(frame: Frame, artist: int) -> list[Part]:
    rng = frame.rng
    kicks = ("X..x ..x. X... ..x.", "X....... X.x.....")[artist]
    snares = (".... X... .... X...", "....X... ....X...")[artist]
    roll = [Note(b, 0.2, 60, v) for b, v in fills(rng, frame.form.last_bars("AB"), 8)]
    drum = kick(rng, Kick(62.0, 160.0, 0.02, 0.28, 0.35, 2.0))
    struck = frame.loose(hits(snares, frame.bars("AB"))) + roll
    ride = frame.loose(hits("x.o. x.o. x.o. x.o.", frame.bars("ABO")))
    return [
        beat(frame.loose(hits(kicks, frame.bars("AB"))), drum, -16.0, reverb=0.12),
        beat(struck, snare(rng, 190.0, 0.3, 0.4), -16.5, reverb=0.25),
        beat(ride, hat(rng, 0.4, 4500.0), -23.0, pan=0.3, reverb=0.15),
        crashes(frame, cymbal(rng, 2.5), "ABO"),
    ]


def _fast(frame: Frame) -> list[Part]:
    rng = frame.rng
    riff = stabs(frame.chords(50), frame.bars("IABO"), pick(rng, _RIFFS), 0.3)
    hook = melody(rng, frame.harmony, frame.bars("BK"), _HOOKS, 69)
    string = Pluck(4.0, 3500.0, 0.09)
    return [
        Part(frame.loose(riff), string, -18.0, pan=-0.6, reverb=0.1, effect=_fuzz),
        Part(frame.loose(riff, 0.02), string, -18.0, pan=0.6, reverb=0.1, effect=_fuzz),
        Part(frame.loose(hook), string, -20.0, reverb=0.25, delay=0.2, effect=_fuzz),
    ]


def _wall(frame: Frame) -> list[Part]:
    rng = frame.rng
    held = sustained(frame.chords(52), frame.bars("IABKO"))
    high = arpeggio(
        frame.chords(66), frame.bars("ABK"), (0, 2, 1, 2, 3, 2, 1, 2), 4, 3.0
    )
    hook = melody(rng, frame.harmony, frame.bars("AB"), _HOOKS, 76)
    string = Pluck(9.0, 3800.0, 0.09)
    return [
        Part(
            frame.loose(held, 0.03), string, -17.5, width=1.0, reverb=0.45, effect=_fuzz
        ),
        Part(frame.loose(high, 0.02), string, -21.5, 0, 0.8, 0.6, 0.4, effect=_fuzz),
        Part(
            frame.loose(hook),
            Synth("triangle", Adsr(0.1, 0.5, 0.8, 0.4)),
            -23.0,
            0,
            0,
            0.8,
        ),
    ]

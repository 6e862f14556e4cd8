"""Lo-fi hip-hop and chiptune: the family of small machines."""

import numpy as np

from segue.composer.drums import Kick, chip_noise, hat, kick, rim, snare
from segue.composer.effects import crackle, crushed, wobbled
from segue.composer.envelopes import Adsr
from segue.composer.filters import low_pass
from segue.composer.harmony import DORIAN, MAJOR, MINOR, NINTH, SEVENTH, TRIAD
from segue.composer.instruments import ELECTRIC_PIANO, Piano, Pluck, Synth
from segue.composer.melody import melody
from segue.composer.patterns import arpeggio, bass_line, hits, stabs
from segue.composer.score import Note, Part, Room, Score, swung
from segue.composer.sound import Mono, Stereo
from segue.composer.styles.frame import Frame, Outline, beat, begin, pick

_LOFI = (
    Outline((74, 79), 1, DORIAN, ((1, 4, 0, 5), (0, 3, 1, 4)), ((3, 2, 1, 4),), NINTH),
    Outline(
        (82, 88), 11, MAJOR, ((3, 2, 1, 0), (1, 4, 0, 5)), ((3, 4, 2, 5),), SEVENTH
    ),
)
_BEATS = (
    ("x.....x. ..x.....", "....X... ....X..-"),
    ("x..x.... ..x..x..", "....X... ....X.-."),
    ("x....... .xx.....", "....X..- ....X..."),
)
_CROONED = (
    (-0.5, 0.5, 1.0, 0.5, 0.5, 1.0),
    (1.5, 0.5, 1.0, -1.0),
    (0.5, 0.5, 0.5, 0.5, -1.0, 1.0),
    (-1.0, 1.0, 0.5, 1.5),
)


def lofi(rng: np.random.Generator, artist: int) -> Score:
    """Compose lo-fi hip-hop: electric piano (0), or upright piano and guitar (1)."""
    frame = begin(rng, _LOFI[artist])
    swing = float(rng.uniform(0.58, 0.64))
    rhythm = pick(rng, ("x....... ......x.", "x.....x. ........", "x....... ..x....."))
    keys = swung(stabs(frame.chords(58), frame.bars("IABKO"), rhythm, 2.2), swing, 0.25)
    lead = melody(rng, frame.harmony, frame.bars("ABK"), _CROONED, (72, 70)[artist])
    low = bass_line(frame.harmony, frame.bars("ABO"), "r__. ..r_ .5_. r_..", 2)
    pianos = (ELECTRIC_PIANO, Piano(1100.0, 5.0))
    voices = (Synth("flute", Adsr(0.03, 0.2, 0.7, 0.2), 2200), Pluck(2.0, 1800.0, 0.3))
    bass = Synth("triangle", Adsr(0.015, 0.4, 0.7, 0.08), 320)
    parts = [
        *_lofi_drums(frame, swing),
        Part(frame.loose(keys, 0.025), pianos[artist], -17.5, width=0.4, reverb=0.2),
        Part(frame.loose(low), bass, -16.5, reverb=0.0),
        Part(
            frame.loose(swung(lead, swing, 0.5), 0.02),
            voices[artist],
            -21.5,
            pan=0.15,
            reverb=0.3,
            delay=0.25,
        ),
    ]
    finish = (_worn_tape, _worn_record)[artist]
    room = Room(reverb_s=1.2, damping_hz=2000, delay_beats=0.75, feedback=0.35)
    return Score(frame.tempo_bpm, frame.form.n_beats, parts, room, finish=finish)


def _lofi_drums(frame: Frame, swing: float) -> list[Part]:
    rng = frame.rng
    kick_pattern, snare_pattern = pick(rng, _BEATS)
    kicks = swung(hits(kick_pattern, frame.bars("AB")), swing, 0.25)
    snares = [
        Note(n.beat + 0.03, n.beats, n.midi, n.velocity)
        for n in hits(snare_pattern, frame.bars("AB"))
    ]
    hats = swung(hits("x.x-x.x. x.x-x.xo", frame.bars("ABK")), swing, 0.25)
    drum = kick(rng, Kick(52.0, 130.0, 0.03, 0.28, 0.05))
    return [
        beat(frame.loose(kicks, 0.015), low_pass(drum, 2500.0), -16.0, reverb=0.03),
        beat(
            frame.loose(snares, 0.012),
            low_pass(snare(rng, 180, 0.18, 0.4), 4500),
            -19.5,
        ),
        beat(frame.loose(hats, 0.015), hat(rng, 0.05, 5000.0), -31.0, pan=0.2),
        beat(
            swung(hits("..-. .... .-.. ..o.", frame.bars("B")), swing, 0.25),
            rim(),
            -29.0,
        ),
    ]


def _worn_tape(mix: Stereo, rng: np.random.Generator) -> Stereo:
    return _worn(mix, rng, 3700.0, 8.0)


def _worn_record(mix: Stereo, rng: np.random.Generator) -> Stereo:
    return _worn(mix, rng, 4000.0, 12.0)


def _worn(
    mix: Stereo, rng: np.random.Generator, cutoff_hz: float, clicks_per_s: float
) -> Stereo:
    soft = low_pass(wobbled(mix, 0.0016, 0.7), cutoff_hz)
    level = float(np.sqrt(np.mean(np.square(soft))))
    dust = crackle(rng, mix.shape[1], clicks_per_s)
    return soft + dust * np.float32(0.45 * level / max(float(dust.std()) * 12, 1e-6))


_CHIP = (
    Outline((138, 146), 0, MAJOR, ((0, 4, 5, 3), (0, 3, 4, 0)), ((3, 4, 2, 5),), TRIAD),
    Outline((150, 160), 9, MINOR, ((0, 5, 6, 0), (0, 6, 5, 4)), ((5, 6, 0, 0),), TRIAD),
)
_TUNES = (
    (0.5, 0.5, 0.5, 0.5, 1.0, 1.0),
    (1.0, 0.5, 0.5, 0.5, 0.5, 1.0),
    (0.25, 0.25, 0.5, 1.0, 0.5, 0.5, 1.0),
    (0.75, 0.75, 0.5, 1.0, 1.0),
)


def chiptune(rng: np.random.Generator, artist: int) -> Score:
    """Compose chiptune: cheerful squares (0), or a nervous narrow pulse (1)."""
    frame = begin(rng, _CHIP[artist])
    order = pick(rng, ((0, 1, 2, 3) * 4, (0, 2, 1, 3) * 4, (0, 1, 2, 1) * 4))
    lead = melody(rng, frame.harmony, frame.bars("ABK"), _TUNES, 81)
    second = [Note(n.beat + 0.375, n.beats, n.midi, n.velocity) for n in lead]
    low = bass_line(frame.harmony, frame.bars("IABO"), "r.r.o.r. r.r.o.5.", 3)
    gate = Adsr(0.001, 0.12, 0.55, 0.01)
    tune = Synth(("square", "pulse12")[artist], gate, 14_000, vibrato_cents=12)
    chip = Synth(("pulse25", "square")[artist], Adsr(0.001, 0.06, 0.3, 0.01), 14_000)

    def coarse(signal: Mono) -> Mono:
        return crushed(signal, 30)

    parts = [
        Part(lead, tune, -18.5, pan=0.1, reverb=0.0),
        Part(second, tune, -27.0, pan=-0.5, reverb=0.0),
        Part(
            arpeggio(frame.chords(67), frame.bars("IABKO"), order),
            chip,
            -22.0,
            -0.25,
            0,
            0,
        ),
        Part(
            low,
            Synth("triangle", Adsr(0.001, 1.0, 1.0, 0.01), 14_000),
            -17.0,
            reverb=0.0,
            effect=coarse,
        ),
        *_chip_drums(frame),
    ]
    return Score(
        frame.tempo_bpm, frame.form.n_beats, parts, Room(reverb_s=0.3), tail_s=1.0
    )


def _chip_drums(frame: Frame) -> list[Part]:
    rng = frame.rng
    kicks = hits("X... ..x. X... ....", frame.bars("AB"))
    snares = hits(".... X... .... X..o", frame.bars("AB"))
    hats = hits("..x. ..x. ..x. ..xx", frame.bars("IABO"))
    drum = crushed(kick(rng, Kick(60.0, 320.0, 0.03, 0.14, 0.0, 1.0)), 24)
    return [
        beat(kicks, drum, -18.0, reverb=0.0),
        beat(snares, chip_noise(rng, 0.14, 6), -22.0, reverb=0.0),
        beat(hats, chip_noise(rng, 0.04, 2), -29.0, pan=0.2, reverb=0.0),
    ]

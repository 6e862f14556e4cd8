"""House and acid techno: the four-to-the-floor family."""

import numpy as np

from segue.composer.drums import Kick, clap, cymbal, hat, kick, rim, shaker
from segue.composer.effects import saturated
from segue.composer.envelopes import Adsr
from segue.composer.harmony import DORIAN, MINOR, NINTH, PHRYGIAN, SEVENTH, Key
from segue.composer.instruments import ELECTRIC_PIANO, Synth
from segue.composer.melody import melody
from segue.composer.patterns import bass_line, hits, stabs, sustained
from segue.composer.score import Note, Part, Room, Score, swung
from segue.composer.sound import Mono
from segue.composer.styles.frame import Frame, Outline, beat, begin, crashes, pick

_HOUSE = (
    Outline(
        (121, 124), 9, DORIAN, ((0, 3, 0, 3), (0, 0, 3, 4)), ((5, 3, 0, 4),), NINTH
    ),
    Outline(
        (124, 127), 4, MINOR, ((0, 5, 2, 6), (0, 3, 5, 6)), ((5, 6, 0, 2),), SEVENTH
    ),
)
_STAB_RHYTHMS = ("..x. .x.. x..x ....", "x..x ..x. ..x. ....", "..x. ..x. .x.. x...")
_BASS_RHYTHMS = (
    ("r__. ..r_ ..o_ r_.."),
    ("r_.r ..r_ .5_. o_.."),
    ("..r_ ..o_ ..r_ ..7_"),
)
_LEAD = ((-1.0, 0.5, 0.5, 1.0, 1.0), (0.5, 0.5, 0.5, 1.5, 1.0), (1.5, 0.5, -1.0, 1.0))


def house(rng: np.random.Generator, artist: int) -> Score:
    """Compose house: deep with electric piano (0), or bright with filtered saws (1)."""
    frame = begin(rng, _HOUSE[artist])
    kicks = hits("X... X... X... X...", frame.bars("IABO"))
    swing = (0.57, 0.54)[artist]
    parts = [
        beat(kicks, kick(rng, Kick(50.0, 170.0, decay_s=0.32)), -14.0, reverb=0.01),
        *_house_drums(frame, swing),
        *((_deep, _filtered)[artist](frame, swing)),
    ]
    room = Room(reverb_s=1.7, delay_beats=0.75, feedback=0.4)
    return Score(frame.tempo_bpm, frame.form.n_beats, parts, room, kicks)


def _house_drums(frame: Frame, swing: float) -> list[Part]:
    rng = frame.rng
    claps = frame.loose(hits(".... X... .... X...", frame.bars("AB")), 0.006)
    closed = swung(hits("x-o- x-o- x-o- x-oo", frame.bars("ABO")), swing, 0.25)
    opened = hits("..X. ..X. ..X. ..X.", frame.bars("AB"))
    shakes = swung(hits("oxox oxox oxox oxox", frame.bars("B")), swing, 0.25)
    return [
        beat(claps, clap(rng), -21.0, reverb=0.25),
        beat(frame.loose(closed, 0.006), hat(rng, 0.05), -33.0, pan=0.2),
        beat(opened, hat(rng, 0.28, 6500.0), -28.5, pan=-0.1),
        beat(frame.loose(shakes), shaker(rng), -31.0, pan=-0.4),
        crashes(frame, cymbal(rng)),
    ]


def _deep(frame: Frame, swing: float) -> list[Part]:
    rng = frame.rng
    chords = frame.chords(60)
    rhythm = pick(rng, _STAB_RHYTHMS)
    struck = swung(stabs(chords, frame.bars("IABKO"), rhythm, 0.45), swing, 0.25)
    low = bass_line(frame.harmony, frame.bars("ABO"), pick(rng, _BASS_RHYTHMS), 2)
    lead = melody(rng, frame.harmony, frame.bars("BK"), _LEAD, 74)
    bass = Synth("sine", Adsr(0.006, 0.3, 0.75, 0.06), cutoff_hz=900)
    pad = Synth("saw", Adsr(0.6, 1.0, 0.8, 0.9), 900, n_voices=3, detune_cents=9)
    return [
        Part(
            frame.loose(struck), ELECTRIC_PIANO, -19.5, width=0.5, reverb=0.3, duck=0.4
        ),
        Part(swung(low, swing, 0.25), bass, -16.5, reverb=0.0, duck=0.55),
        Part(
            sustained(frame.chords(64), frame.bars("BK")),
            pad,
            -27.0,
            width=0.8,
            reverb=0.4,
            duck=0.7,
        ),
        Part(
            frame.loose(lead),
            Synth("triangle", Adsr(0.01, 0.3, 0.5, 0.15), 3000, vibrato_cents=8),
            -23.0,
            pan=0.2,
            reverb=0.35,
            delay=0.45,
        ),
    ]


def _filtered(frame: Frame, swing: float) -> list[Part]:
    rng = frame.rng
    rhythm = pick(rng, _STAB_RHYTHMS)
    struck = stabs(frame.chords(64), frame.bars("IABKO"), rhythm, 0.4)
    low = bass_line(frame.harmony, frame.bars("ABO"), "r.o. r.o. r.o. r.o5", 2)
    lead = melody(rng, frame.harmony, frame.bars("B"), _LEAD, 76)
    stab = Synth(
        "saw",
        Adsr(0.003, 0.18, 0.35, 0.14),
        900,
        sweep_octaves=2.4,
        sweep_s=0.16,
        resonance=1.6,
        n_voices=3,
        detune_cents=13,
    )
    bass = Synth(
        "saw",
        Adsr(0.004, 0.12, 0.5, 0.05),
        350,
        2.2,
        0.09,
        1.4,
        n_voices=2,
        detune_cents=6,
    )
    string = Synth("saw", Adsr(0.25, 0.5, 0.9, 0.4), 4500, n_voices=4, detune_cents=14)
    return [
        Part(swung(struck, swing, 0.25), stab, -18.5, width=0.6, reverb=0.25, duck=0.5),
        Part(low, bass, -17.0, reverb=0.0, duck=0.4),
        Part(
            sustained(frame.chords(76), frame.bars("BK")),
            string,
            -27.0,
            width=0.9,
            reverb=0.4,
            duck=0.6,
        ),
        Part(
            frame.loose(lead),
            Synth(
                "square", Adsr(0.005, 0.25, 0.4, 0.1), 2500, n_voices=2, detune_cents=8
            ),
            -24.0,
            pan=-0.2,
            reverb=0.3,
            delay=0.5,
        ),
    ]


_TECHNO = (
    Outline((131, 134), 6, PHRYGIAN, ((0, 0, 0, 0),), ((0, 0, 1, 0),)),
    Outline((136, 140), 11, MINOR, ((0, 0, 0, 0),), ((0, 0, 5, 6),)),
)
_ACID_STEPS = 16


def techno(rng: np.random.Generator, artist: int) -> Score:
    """Compose acid techno: one squelching saw (0), or a faster driven square (1)."""
    frame = begin(rng, _TECHNO[artist])
    kicks = hits("X... X... X... X...", frame.bars("ABO"))
    shape = Kick(46.0, (230.0, 300.0)[artist], 0.03, 0.36, 0.3, (2.5, 4.0)[artist])
    parts = [
        beat(kicks, kick(rng, shape), -12.5, reverb=0.03),
        *_techno_drums(frame),
        *_acid(frame, artist),
    ]
    room = Room(reverb_s=2.2, damping_hz=2500, delay_beats=0.75, feedback=0.5)
    return Score(frame.tempo_bpm, frame.form.n_beats, parts, room, kicks)


def _techno_drums(frame: Frame) -> list[Part]:
    rng = frame.rng
    offbeat = hits("..X. ..X. ..X. ..X.", frame.bars("IAB"))
    ticking = hits("xoxo xoxo xoxo xoxo", frame.bars("B"))
    claps = hits(".... X... .... X..-", frame.bars("B"))
    knock = pick(
        rng, ("..x. .x.. ..x. .x.x", "...x ..x. ...x ..x.", "x..x ..x. .x.. x...")
    )
    rumble = hits("..x. ..x. ..x. ..x.", frame.bars("ABO"), midi=36)
    return [
        beat(offbeat, hat(rng, 0.14, 8000.0), -27.0, pan=0.1),
        beat(ticking, hat(rng, 0.035, 9000.0), -31.0, pan=-0.2),
        beat(claps, clap(rng, 0.3), -22.0, reverb=0.4),
        beat(hits(knock, frame.bars("AKB")), rim(820.0, 0.07), -27.0, 0.35, 0.3),
        Part(rumble, Synth("sine", Adsr(0.01, 0.2, 0.6, 0.1)), -20.0, duck=0.6),
    ]


def _acid(frame: Frame, artist: int) -> list[Part]:
    rng = frame.rng
    line = _acid_line(rng, frame.harmony.key)
    notes = [
        Note(bar * 4 + note.beat, note.beats, note.midi, note.velocity)
        for bar in frame.bars("IABKO")
        for note in line[bar % 2]
    ]
    squelch = Synth(
        ("saw", "square")[artist],
        Adsr(0.003, 0.2, 0.5, 0.03),
        (330.0, 260.0)[artist],
        sweep_octaves=(3.3, 3.8)[artist],
        sweep_s=(0.10, 0.07)[artist],
        resonance=(6.0, 9.0)[artist],
    )
    drone = Synth("saw", Adsr(1.5, 1.0, 1.0, 1.5), 500, n_voices=5, detune_cents=18)
    drive = (2.5, 5.0)[artist]

    def driven(signal: Mono) -> Mono:
        return saturated(signal, drive)

    chord = [[note - 12 for note in chord] for chord in frame.chords(60)]
    return [
        Part(notes, squelch, -17.0, reverb=0.1, delay=0.25, effect=driven, duck=0.25),
        Part(
            sustained(chord, frame.bars("KB")),
            drone,
            -28.0,
            width=0.9,
            reverb=0.6,
            duck=0.6,
        ),
    ]


def _acid_line(rng: np.random.Generator, key: Key) -> tuple[list[Note], list[Note]]:
    degrees = rng.choice([0, 0, 0, 1, 2, 4, 6, 7], _ACID_STEPS)
    octave = np.where(rng.random(_ACID_STEPS) < 0.25, 4, 3)  # noqa: PLR2004
    played = rng.random(_ACID_STEPS) < 0.78  # noqa: PLR2004
    length = np.where(rng.random(_ACID_STEPS) < 0.3, 0.3, 0.18)  # noqa: PLR2004
    accent = rng.choice([0.5, 0.7, 1.0], _ACID_STEPS)
    degrees[0], played[0] = 0, True

    def bar(shift: int) -> list[Note]:
        return [
            Note(
                step / 4,
                float(length[step]),
                key.midi(int(degrees[(step + shift) % _ACID_STEPS]), int(octave[step])),
                float(accent[step]),
            )
            for step in np.flatnonzero(played)
        ]

    return bar(0), bar(int(rng.integers(1, 4)))

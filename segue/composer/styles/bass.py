"""Drum and bass, and dub: the family that is led by the bass."""

import numpy as np

from segue.composer.drums import Kick, cymbal, hat, kick, rim, shaker, snare
from segue.composer.effects import saturated
from segue.composer.envelopes import Adsr
from segue.composer.harmony import DORIAN, MINOR, NINTH, SEVENTH, TRIAD
from segue.composer.instruments import ELECTRIC_PIANO, Synth
from segue.composer.melody import melody
from segue.composer.patterns import arpeggio, bass_line, fills, hits, stabs, sustained
from segue.composer.score import Note, Part, Room, Score, swung
from segue.composer.sound import Mono
from segue.composer.styles.frame import Frame, Outline, beat, begin, crashes, pick

_DRUM_AND_BASS = (
    Outline(
        (170, 173), 5, DORIAN, ((0, 0, 5, 5), (0, 0, 3, 3)), ((5, 5, 6, 6),), NINTH
    ),
    Outline(
        (173, 176), 0, MINOR, ((0, 0, 0, 0), (0, 0, 1, 1)), ((0, 0, 5, 6),), SEVENTH
    ),
)
_BREAKS = (
    ("X... ...- ..x. ....", ".... X..o .o.. X..o"),
    (
        "X.x. .... ..X. ..-.",
        ".... X..o .o.- X...",
    ),
)
_LEAD = ((2.0, 1.0, 1.0), (1.0, 1.0, 2.0), (-1.0, 1.5, 0.5, 1.0), (3.0, 1.0))


def drum_and_bass(rng: np.random.Generator, artist: int) -> Score:
    """Compose drum and bass: liquid (0), or dark with a growling reese (1)."""
    frame = begin(rng, _DRUM_AND_BASS[artist])
    kick_pattern, snare_pattern = pick(rng, _BREAKS)
    kicks = hits(kick_pattern, frame.bars("AB"))
    parts = [
        beat(
            kicks,
            kick(rng, Kick(55.0, 220.0, 0.02, 0.22, 0.3, 2.5)),
            -14.5,
            reverb=0.03,
        ),
        *_break(frame, snare_pattern),
        *((_liquid, _dark)[artist](frame)),
    ]
    room = Room(reverb_s=2.4, delay_beats=1.5, feedback=0.45)
    return Score(frame.tempo_bpm, frame.form.n_beats, parts, room, kicks)


def _break(frame: Frame, pattern: str) -> list[Part]:
    rng = frame.rng
    roll = [Note(b, 0.2, 60, v) for b, v in fills(rng, frame.form.last_bars("AB"), 8)]
    snares = frame.loose(hits(pattern, frame.bars("AB")), 0.01) + roll
    ride = hits("x.x. x.x. x.x. x.x.", frame.bars("ABO"))
    ticks = swung(hits("-o-o -o-o -o-o -o-o", frame.bars("AB")), 0.55, 0.25)
    return [
        beat(snares, snare(rng, 205.0, 0.2, 0.45), -15.5, reverb=0.14),
        beat(frame.loose(ride), hat(rng, 0.11, 6000.0), -25.0, pan=0.25),
        beat(frame.loose(ticks), hat(rng, 0.05, 8000.0), -29.0, pan=-0.3),
        beat(hits("oxox oxox oxox oxox", frame.bars("KO")), shaker(rng), -27.0, -0.2),
        crashes(frame, cymbal(rng, 1.6)),
    ]


def _liquid(frame: Frame) -> list[Part]:
    rng = frame.rng
    chords = frame.chords(64)
    low = bass_line(frame.harmony, frame.bars("ABO"), "r___ ___. ..r_ __5_", 2)
    lead = melody(rng, frame.harmony, frame.bars("BK"), _LEAD, 77)
    rhythm = pick(rng, ("x... ..x. .... x...", "x..x .... ..x. ...."))
    keys = stabs(chords, frame.bars("IABKO"), rhythm, 1.6)
    pad = Synth("saw", Adsr(1.0, 1.0, 0.9, 1.2), 1600, n_voices=4, detune_cents=12)
    return [
        Part(
            frame.loose(keys), ELECTRIC_PIANO, -20.0, width=0.6, reverb=0.45, delay=0.2
        ),
        Part(
            low, Synth("triangle", Adsr(0.01, 0.4, 0.9, 0.08), 500), -15.5, reverb=0.0
        ),
        Part(sustained(chords, frame.bars("IABK")), pad, -26.0, width=0.9, reverb=0.5),
        Part(
            frame.loose(lead),
            Synth(
                "flute", Adsr(0.05, 0.3, 0.8, 0.3), 4000, vibrato_cents=14, breath=0.02
            ),
            -22.0,
            reverb=0.5,
            delay=0.35,
        ),
    ]


def _dark(frame: Frame) -> list[Part]:
    rng = frame.rng
    pattern = pick(
        rng, ("r___ __r_ _.r_ 5_r_", "r__r __r_ ___. o_7_", "r_r_ ..r_ __5_ ..o_")
    )
    low = bass_line(frame.harmony, frame.bars("ABO"), pattern, 2)
    reese = Synth(
        "saw",
        Adsr(0.01, 0.5, 0.9, 0.08),
        420,
        1.8,
        0.5,
        2.2,
        n_voices=3,
        detune_cents=28,
    )
    order = pick(rng, ((0, 2, 1, 3, 2, 4, 3, 1), (0, -1, 3, 2, -1, 4, 2, -1)))
    bleeps = arpeggio(frame.chords(72), frame.bars("KB"), order)
    drone = Synth("saw", Adsr(1.2, 1.0, 1.0, 1.5), 700, n_voices=5, detune_cents=22)

    def driven(signal: Mono) -> Mono:
        return saturated(signal, 3.0)

    return [
        Part(low, reese, -15.0, width=0.3, reverb=0.03, effect=driven, duck=0.3),
        Part(low, Synth("sine", Adsr(0.01, 0.5, 0.9, 0.08)), -18.0, reverb=0.0),
        Part(
            bleeps,
            Synth("square", Adsr(0.003, 0.1, 0.2, 0.15), 1500, 1.5, 0.1, 2.0),
            -25.0,
            pan=0.3,
            reverb=0.4,
            delay=0.4,
        ),
        Part(
            sustained(frame.chords(52), frame.bars("IKBO")), drone, -25.0, 0, 0.9, 0.5
        ),
    ]


_DUB = (
    Outline((70, 74), 8, MINOR, ((0, 0, 3, 3), (0, 0, 4, 4)), ((3, 3, 0, 0),), TRIAD),
    Outline(
        (75, 79), 1, DORIAN, ((0, 0, 3, 0), (0, 3, 0, 3)), ((6, 3, 0, 0),), SEVENTH
    ),
)
_DUB_BASS = (
    "r__. r_.5 _.o_ ..7_",
    "r_r_ ..5_ r__. .3_.",
    "..r_ r_3_ 5___ ....",
    "r___ ..5_ 7_5_ 3_..",
)
_MELODICA = (
    (-1.0, 0.5, 0.5, 1.0, 1.0),
    (1.0, 0.5, 0.5, 2.0),
    (-0.5, 0.5, 0.5, 0.5, 2.0),
)


def dub(rng: np.random.Generator, artist: int) -> Score:
    """Compose dub: roots with a melodica (0), or bubbling organ (1)."""
    frame = begin(rng, _DUB[artist])
    low = bass_line(frame.harmony, frame.bars("ABKO"), pick(rng, _DUB_BASS), 2)
    bass = Synth("triangle", Adsr(0.012, 0.5, 0.8, 0.1), (300, 360)[artist])
    parts = [
        *_one_drop(frame, artist),
        Part(frame.loose(low), bass, -13.5, reverb=0.02),
        *_skank(frame, artist),
    ]
    room = Room(reverb_s=2.6, damping_hz=2200, delay_beats=0.75, feedback=0.6)
    return Score(frame.tempo_bpm, frame.form.n_beats, parts, room)


def _one_drop(frame: Frame, artist: int) -> list[Part]:
    rng = frame.rng
    drop = ("........ X.......", "o....... X.......")[artist]
    kicks = frame.loose(hits(drop, frame.bars("ABO")), 0.008)
    rims = frame.loose(hits("........ X.......", frame.bars("AB")), 0.008)
    hats = swung(hits("x.o.x.o. x.o.x.oo", frame.bars("IABO")), 0.6, 0.25)
    toms = [
        Note(bar * 4 + 3 + i / 4, 0.2, 50, 0.9 - 0.15 * i)
        for bar in frame.form.last_bars("IAK")
        for i in range(4)
    ]
    return [
        beat(kicks, kick(rng, Kick(50.0, 120.0, 0.03, 0.35, 0.05)), -16.0, reverb=0.05),
        beat(rims, rim(1500.0, 0.09), -22.0, pan=0.1, reverb=0.7),
        beat(frame.loose(hats), hat(rng, 0.06, 6500.0), -30.0, pan=-0.25),
        Part(toms, _tom_kit(), -22.0, pan=0.3, reverb=0.5, delay=0.6),
    ]


def _tom_kit() -> Synth:
    return Synth("sine", Adsr(0.002, 0.12, 0.0, 0.1), sweep_octaves=1.0)


def _skank(frame: Frame, artist: int) -> list[Part]:
    rng = frame.rng
    chords = frame.chords(62)
    chops = stabs(chords, frame.bars("IABO"), "....x... ....x...", 0.22)
    echoed = stabs(
        chords, frame.bars("K") + frame.form.last_bars("AB"), "..........x.", 0.25
    )
    guitar = Synth("pulse25", Adsr(0.003, 0.07, 0.25, 0.05), 1900, 1.0, 0.05)
    organ = Synth("organ", Adsr(0.008, 0.1, 0.7, 0.05), 1800)
    parts = [
        Part(frame.loose(chops), guitar, -21.0, pan=-0.3, reverb=0.25),
        Part(echoed, guitar, -19.0, pan=0.2, reverb=0.4, delay=1.0),
    ]
    if artist:
        bubble = stabs(chords, frame.bars("ABK"), ".ox. .ox. .ox. .ox.", 0.2)
        parts.append(Part(swung(bubble, 0.58, 0.25), organ, -21.5, pan=0.3, reverb=0.2))
        return parts
    lead = melody(rng, frame.harmony, frame.bars("ABK"), _MELODICA, 72)
    voice = Synth(
        "reed", Adsr(0.03, 0.3, 0.8, 0.08), 2800, vibrato_cents=10, breath=0.01
    )
    parts.append(Part(frame.loose(lead, 0.02), voice, -20.0, 0.15, 0.0, 0.35, 0.5))
    return parts

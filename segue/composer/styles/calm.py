"""Ambient and bells: the family without a drum kit."""

import numpy as np

from segue.composer.envelopes import Adsr
from segue.composer.filters import band_pass, high_pass
from segue.composer.harmony import DORIAN, LYDIAN, NINTH, PELOG, Harmony
from segue.composer.instruments import BRONZE, GLASS, GONG, MARIMBA, Synth
from segue.composer.melody import melody
from segue.composer.patterns import arpeggio, bass_line, hits, sustained
from segue.composer.score import Note, Part, Room, Score
from segue.composer.sound import Stereo, times_s
from segue.composer.styles.frame import Frame, Outline, begin, pick

_AMBIENT = (
    Outline((58, 64), 2, DORIAN, ((0, 0, 3, 3), (0, 0, 5, 5)), ((3, 3, 4, 4),), NINTH),
    Outline((62, 70), 5, LYDIAN, ((0, 0, 1, 1), (0, 0, 4, 4)), ((5, 5, 1, 1),), NINTH),
)
_FLOATING = ((3.0, -1.0), (-1.0, 2.0, 1.0), (2.0, 2.0), (-2.0, 2.0))


def ambient(rng: np.random.Generator, artist: int) -> Score:
    """Compose ambient: warm and low (0), or airy with wind and glass (1)."""
    frame = begin(rng, _AMBIENT[artist])
    chords = frame.chords((58, 60)[artist])
    everywhere = list(range(frame.form.n_bars))
    warm = Synth(
        "saw",
        Adsr(2.2, 2.0, 0.9, 3.5),
        (680.0, 800.0)[artist],
        (1.1, 0.9)[artist],
        3.0,
        n_voices=4,
        detune_cents=(9, 13)[artist],
    )
    lead = melody(rng, frame.harmony, frame.bars("ABK"), _FLOATING, (72, 77)[artist])
    voice = Synth(
        "flute", Adsr(0.5, 1.0, 0.8, 1.8), 1800, vibrato_cents=9, breath=0.015
    )
    roots = bass_line(frame.harmony, everywhere, "r_______________", 2)
    parts = [
        Part(sustained(chords, everywhere), warm, -18.0, width=1.0, reverb=0.7),
        Part(roots, Synth("sine", Adsr(1.0, 1, 1.0, 2.0)), (-20.0, -22.0)[artist]),
        Part(lead, voice, (-25.0, -23.0)[artist], pan=-0.1, reverb=0.9, delay=0.5),
        _chimes(frame, artist),
    ]
    room = Room(
        reverb_s=5.0, damping_hz=(2400, 3600)[artist], delay_beats=1.5, feedback=0.5
    )
    beats = frame.form.n_beats
    return Score(frame.tempo_bpm, beats, parts, room, finish=_windy, tail_s=4.0)


def _chimes(frame: Frame, artist: int) -> Part:
    rng = frame.rng
    chords = frame.chords((77, 82)[artist])
    notes = [
        Note(bar * 4 + float(rng.choice([0.5, 1.0, 1.75, 2.5, 3.25])), 3.0, pitch, 0.5)
        for bar in frame.bars("ABK")
        for pitch in rng.choice(chords[bar], 2)
    ]
    return Part(notes, GLASS, -28.0, pan=0.3, reverb=0.9, delay=0.7)


def _windy(mix: Stereo, rng: np.random.Generator) -> Stereo:
    n = mix.shape[1]
    t = times_s(n)
    noise = band_pass(rng.standard_normal((2, n), dtype=np.float32), 500.0, 3000.0)
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * (t[None, :] / 11.0 + [[0.0], [0.2]]))
    level = 0.16 * float(mix.std()) / max(float(noise.std()), 1e-6)
    wind = noise * (level * swell).astype(np.float32)
    return high_pass(mix, 90.0) + wind


_BELLS = (
    Outline(
        (96, 106), 11, PELOG, ((0, 0, 3, 0), (0, 2, 3, 0)), ((3, 3, 2, 2),), (0, 1, 3)
    ),
    Outline(
        (84, 94), 11, PELOG, ((0, 3, 0, 2), (0, 0, 3, 3)), ((3, 2, 3, 0),), (0, 1, 3)
    ),
)
_CORE = ((1.0, 1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (1.0, 1.0, 2.0))
_TINKLING = (
    (0.5, 0.5, 1.0, 0.5, 0.5, 1.0),
    (1.0, 0.5, 0.5, 1.0, 1.0),
    (1.5, 0.5, 0.5, 0.5, 1.0),
)


def bells(rng: np.random.Generator, artist: int) -> Score:
    """Compose for bells: interlocking bronze and gongs (0), or a music box (1)."""
    frame = begin(rng, _BELLS[artist])
    parts = (_gamelan, _music_box)[artist](frame)
    room = Room(
        reverb_s=(2.2, 1.4)[artist], damping_hz=5000, delay_beats=1.0, feedback=0.3
    )
    return Score(frame.tempo_bpm, frame.form.n_beats, parts, room, tail_s=3.5)


def _gamelan(frame: Frame) -> list[Part]:
    rng = frame.rng
    core = melody(rng, frame.harmony, frame.bars("IABKO"), _CORE, 62)
    upper, lower = _interlocking(rng, frame.harmony, frame.bars("AB"))
    gongs = hits(
        "X.......", [b for b in range(frame.form.n_bars) if b % 2 == 0], midi=36
    )
    small = hits("....x...", frame.bars("IABKO"), midi=48)
    return [
        Part(frame.loose(core), BRONZE, -17.5, pan=-0.1, reverb=0.3),
        Part(frame.loose(upper, 0.008), GLASS, -21.0, pan=-0.55, reverb=0.25),
        Part(frame.loose(lower, 0.008), BRONZE, -21.0, pan=0.55, reverb=0.25),
        Part(gongs, GONG, -18.0, reverb=0.5),
        Part(frame.loose(small), GONG, -23.0, pan=0.3, reverb=0.4),
        Part(
            frame.loose(hits("..x. ..xo ..x. ..xo", frame.bars("AB"), midi=81)),
            MARIMBA,
            -28.0,
            pan=0.1,
        ),
    ]


def _interlocking(
    rng: np.random.Generator, harmony: Harmony, bars: list[int]
) -> tuple[list[Note], list[Note]]:
    """Two players share one fast figure: what one leaves out, the other plays."""
    figure = rng.integers(-1, 4, 8)
    taken = rng.random(8) < 0.5  # noqa: PLR2004
    hands: tuple[list[Note], list[Note]] = ([], [])
    for bar in bars:
        root = harmony.key.nearest_degree(74) + harmony.chords[bar].degree % 3
        for step in range(16):
            pitch = harmony.key.midi(root + int(figure[step % 8]))
            note = Note(bar * 4 + step / 4, 0.5, pitch, 0.8 if step % 4 == 0 else 0.6)
            hands[int(taken[step % 8])].append(note)
    return hands


def _music_box(frame: Frame) -> list[Part]:
    rng = frame.rng
    order = pick(rng, ((0, 2, 1, 3, 2, 1, 3, 2), (0, 1, 2, 3, 4, 3, 2, 1)))
    tune = melody(rng, frame.harmony, frame.bars("ABKO"), _TINKLING, 81)
    broken = arpeggio(frame.chords(72), frame.bars("IABO"), order, held_steps=2.0)
    low = arpeggio(frame.chords(57), frame.bars("IABK"), (0, -1, 1, -1), held_steps=2.0)
    return [
        Part(frame.loose(tune, 0.015), GLASS, -17.5, pan=0.1, reverb=0.35, delay=0.25),
        Part(frame.loose(broken, 0.015), GLASS, -21.5, pan=-0.35, reverb=0.3),
        Part(frame.loose(low, 0.015), BRONZE, -19.0, pan=0.3, reverb=0.3),
        Part(
            hits("X.......", frame.form.first_bars("IABKO"), midi=36),
            GONG,
            -22.0,
            reverb=0.5,
        ),
    ]

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.composer.form import Form, choose_form
from segue.composer.harmony import (
    DORIAN,
    MAJOR,
    MINOR,
    NINTH,
    SEVENTH,
    TRIAD,
    Chord,
    Harmony,
    Key,
    harmony_of,
    voicings,
)
from segue.composer.melody import melody
from segue.composer.patterns import arpeggio, bass_line, hits, sustained

SCALES = st.sampled_from([MAJOR, MINOR, DORIAN])
RHYTHMS = ((1.0, 0.5, 0.5, 1.0, 1.0), (-1.0, 1.0, 2.0))


@given(
    tonic=st.integers(0, 11),
    scale=SCALES,
    degrees=st.lists(st.integers(0, 6), min_size=2, max_size=8),
    stack=st.sampled_from([TRIAD, SEVENTH, NINTH]),
)
def test_chords_are_in_key_near_the_centre_and_move_little(
    tonic: int, scale: tuple[int, ...], degrees: list[int], stack: tuple[int, ...]
) -> None:
    key = Key(tonic, scale)
    chords = tuple(Chord(degree, stack) for degree in degrees)
    voiced = voicings(Harmony(key, chords), 62)
    in_key = {(tonic + step) % 12 for step in scale}
    for notes, chord in zip(voiced, chords, strict=True):
        assert (
            {note % 12 for note in notes}
            == {key.midi(degree) % 12 for degree in chord.degrees()}
            <= in_key
        )
        assert abs(np.mean(notes) - 62) < 8
    for before, after in pairwise(voiced):
        moved = [abs(a - b) for a, b in zip(before, after, strict=True)]
        assert np.mean(moved) <= 6


@given(seed=st.integers(0, 10_000), tonic=st.integers(0, 11), scale=SCALES)
def test_a_melody_is_in_key_in_range_and_inside_its_bars(
    seed: int, tonic: int, scale: tuple[int, ...]
) -> None:
    form = Form("IABO", 4)
    harmony = harmony_of(form, Key(tonic, scale), (0, 5, 3, 4), (3, 4, 0, 0))
    notes = melody(np.random.default_rng(seed), harmony, form.bars("AB"), RHYTHMS, 72)
    assert notes
    assert {note.midi % 12 for note in notes} <= {(tonic + s) % 12 for s in scale}
    assert all(72 - 20 <= note.midi <= 72 + 20 for note in notes)
    assert all(16 <= note.beat < note.beat + note.beats <= 48 for note in notes)


def test_a_melody_repeats_its_motif_and_ends_on_the_chord() -> None:
    form = Form("A", 8)
    harmony = harmony_of(form, Key(0, MAJOR), (0,), (0,))
    notes = melody(np.random.default_rng(3), harmony, form.bars("A"), RHYTHMS, 72)
    first, second = (
        [(n.beat % 16, n.midi) for n in notes if n.beat // 16 == phrase]
        for phrase in (0, 1)
    )
    assert first == second
    assert notes[-1].midi % 12 in {0, 4, 7}


@pytest.mark.parametrize("octave", [2, 3])
@pytest.mark.parametrize("tonic", range(12))
def test_bass_roots_lie_in_one_octave_whatever_the_key(tonic: int, octave: int) -> None:
    form = Form("A", 7)
    harmony = harmony_of(form, Key(tonic, MINOR), range(7), (0,))
    notes = bass_line(harmony, form.bars("A"), "r___ ....", octave)
    assert all(12 * octave + 4 <= note.midi < 12 * octave + 16 for note in notes)


def test_patterns_place_their_hits() -> None:
    assert [(n.beat, n.velocity) for n in hits("X.o.", [2])] == [
        (8.0, 1.0),
        (10.0, 0.4),
    ]
    chords = [[60, 64, 67]] * 2
    climbing = arpeggio(chords, [0], (0, 1, 2, 3))
    assert [n.midi for n in climbing] == [60, 64, 67, 72]
    held = sustained(chords, [0, 1])
    assert [(n.beat, n.beats) for n in held] == [(0.0, 8.0)] * 3
    held = bass_line(harmony_of(Form("A", 1), Key(0, MAJOR), (0,), (0,)), [0], "r__5")
    assert [(n.beat, n.midi) for n in held] == [(0.0, 48), (3.0, 55)]


@given(
    seed=st.integers(0, 999),
    tempo_bpm=st.floats(58, 176),
    beats_per_bar=st.sampled_from([3, 4]),
)
def test_every_tempo_finds_a_form_of_the_right_length(
    seed: int, tempo_bpm: float, beats_per_bar: int
) -> None:
    form = choose_form(np.random.default_rng(seed), tempo_bpm, beats_per_bar)
    assert 42.5 <= form.n_beats * 60 / tempo_bpm <= 55.5
    assert (form.letters[0], form.letters[-1]) == ("I", "O")

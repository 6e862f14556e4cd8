"""Melodies: a motif that returns, moves with the chords, varies and comes home."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from segue.composer.harmony import Harmony
from segue.composer.score import Note

_STEPS: Final = (-2, -1, -1, 1, 1, 2, 3, -3, 0)
_STEP_WEIGHTS: Final = (0.1, 0.22, 0.0, 0.22, 0.0, 0.14, 0.08, 0.06, 0.18)
_PHRASE_BARS: Final = 4
_WIDEST: Final = 5


@dataclass(frozen=True)
class Motif:
    """Starts and lengths in beats, and steps of the scale against an anchor."""

    beats: tuple[float, ...]
    lengths: tuple[float, ...]
    steps: tuple[int, ...]


def make_motif(rng: np.random.Generator, rhythm: Sequence[float], bar: float) -> Motif:
    """Return a motif of one bar upon a rhythm.

    Parameters
    ----------
    rhythm : sequence of float
        Lengths in beats; a negative one is a rest.
    bar : float
        Beats in a bar; what lies beyond is left out.
    """
    beats, lengths, steps = [], [], []
    beat, step = 0.0, 0
    weights = np.array(_STEP_WEIGHTS) / sum(_STEP_WEIGHTS)
    for length in rhythm:
        if beat >= bar:
            break
        if length > 0:
            beats.append(beat)
            lengths.append(min(length, bar - beat))
            steps.append(step)
            step = int(np.clip(step + rng.choice(_STEPS, p=weights), -_WIDEST, _WIDEST))
        beat += abs(length)
    return Motif(tuple(beats), tuple(lengths), tuple(steps))


def melody(
    rng: np.random.Generator,
    harmony: Harmony,
    bars: Sequence[int],
    rhythms: Sequence[Sequence[float]],
    centre: float,
) -> list[Note]:
    """Sing over some bars, in phrases of four: motif, answer, motif varied, close.

    Parameters
    ----------
    bars : sequence of int
        Bars in which it sounds.
    rhythms : sequence of sequence of float
        Rhythms of one bar to choose two from; the first length sum is the bar.
    centre : float
        MIDI note around which it moves.
    """
    bar_beats = sum(abs(length) for length in rhythms[0])
    call, answer = (
        make_motif(rng, rhythms[int(rng.integers(len(rhythms)))], bar_beats)
        for _ in range(2)
    )
    order = (call, answer, _varied(rng, call), answer)
    notes: list[Note] = []
    for bar in bars:
        place = bar % _PHRASE_BARS
        line = _sung(harmony, bar, bar_beats, order[place], centre)
        if place == _PHRASE_BARS - 1 or bar + 1 not in bars:
            line = _closed(harmony, bar, line, (bar + 1) * bar_beats)
        notes += line
    return notes


def _varied(rng: np.random.Generator, motif: Motif) -> Motif:
    half = len(motif.steps) // 2
    turned = tuple(-step for step in motif.steps[half:])
    lifted = tuple(step + 1 for step in motif.steps[half:])
    ending = turned if rng.random() < 0.5 else lifted  # noqa: PLR2004
    return Motif(motif.beats, motif.lengths, motif.steps[:half] + ending)


def _sung(
    harmony: Harmony, bar: int, bar_beats: float, motif: Motif, centre: float
) -> list[Note]:
    anchor = _nearest_chord_tone(harmony, bar, harmony.key.nearest_degree(centre))
    notes = []
    for beat, length, step in zip(motif.beats, motif.lengths, motif.steps, strict=True):
        degree = anchor + step
        if beat % 2 == 0 or length >= 1.0:
            degree = _nearest_chord_tone(harmony, bar, degree)
        accent = 0.82 if beat % 1 == 0 else 0.66
        pitch = harmony.key.midi(degree)
        notes.append(Note(bar * bar_beats + beat, length * 0.95, pitch, accent))
    return notes


def _closed(
    harmony: Harmony, bar: int, line: list[Note], end_beat: float
) -> list[Note]:
    kept = line[: max(1, len(line) - 2)]
    if not kept:
        return kept
    last = kept[-1]
    degree = harmony.key.nearest_degree(last.midi)
    pitch = harmony.key.midi(_nearest_chord_tone(harmony, bar, degree))
    kept[-1] = Note(last.beat, (end_beat - last.beat) * 0.8, pitch, last.velocity)
    return kept


def _nearest_chord_tone(harmony: Harmony, bar: int, degree: int) -> int:
    offsets = sorted(range(-4, 5), key=abs)
    return next(
        (degree + o for o in offsets if harmony.is_chord_tone(bar, degree + o)), degree
    )

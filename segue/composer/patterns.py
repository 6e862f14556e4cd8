"""From harmony to notes: drum patterns, chords, arpeggios, bass lines."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from segue.composer.harmony import OCTAVE, Harmony
from segue.composer.score import Note

_VELOCITIES: Final = {"X": 1.0, "x": 0.75, "o": 0.4, "-": 0.22}
_DEGREES: Final = {"r": 0, "3": 2, "5": 4, "7": 6, "o": 7, "2": 1, "4": 3, "6": 5}
_GATE: Final = 0.9
_E: Final = 4  # the lowest string of a bass


def hits(
    pattern: str, bars: Iterable[int], beats_per_bar: int = 4, midi: float = 60.0
) -> list[Note]:
    """Repeat a pattern of steps in each bar.

    Parameters
    ----------
    pattern : str
        One character a step: `X` accent, `x` hit, `o` soft, `-` ghost, `.` rest;
        blanks are for the eye.

    Examples
    --------
    >>> [note.beat for note in hits("x... x...", [1])]
    [4.0, 6.0]
    """
    steps = pattern.replace(" ", "")
    length = beats_per_bar / len(steps)
    return [
        Note(bar * beats_per_bar + step * length, length, midi, _VELOCITIES[mark])
        for bar in bars
        for step, mark in enumerate(steps)
        if mark in _VELOCITIES
    ]


def sustained(
    chords: Sequence[Sequence[int]],
    bars: Sequence[int],
    beats_per_bar: int = 4,
    velocity: float = 0.6,
) -> list[Note]:
    """Hold each bar's chord; a chord that stays is struck once."""
    notes: list[Note] = []
    first = 0
    while first < len(bars):
        last = first
        while (
            last + 1 < len(bars)
            and bars[last + 1] == bars[last] + 1
            and chords[bars[last + 1]] == chords[bars[first]]
        ):
            last += 1
        beats = (last - first + 1) * beats_per_bar
        start = bars[first] * beats_per_bar
        notes += [Note(start, beats, midi, velocity) for midi in chords[bars[first]]]
        first = last + 1
    return notes


def stabs(
    chords: Sequence[Sequence[int]],
    bars: Iterable[int],
    pattern: str,
    length_beats: float,
    beats_per_bar: int = 4,
) -> list[Note]:
    """Strike each bar's chord in the rhythm of a pattern."""
    return [
        Note(hit.beat, length_beats, midi, hit.velocity)
        for bar in bars
        for hit in hits(pattern, [bar], beats_per_bar)
        for midi in chords[bar]
    ]


def arpeggio(
    chords: Sequence[Sequence[int]],
    bars: Iterable[int],
    order: Sequence[int],
    beats_per_bar: int = 4,
    held_steps: float = 1.0,
) -> list[Note]:
    """Break each bar's chord into single notes.

    Parameters
    ----------
    order : sequence of int
        Which note of the chord each step takes, from the lowest, 0; numbers beyond the
        chord go on an octave higher, -1 is a rest. The steps fill the bar.
    """
    step = beats_per_bar / len(order)
    notes = []
    for bar in bars:
        chord = chords[bar]
        for place, index in enumerate(order):
            if index < 0:
                continue
            turns, which = divmod(index, len(chord))
            beat = bar * beats_per_bar + place * step
            accent = 0.78 if place % 4 == 0 else 0.58
            pitch = chord[which] + OCTAVE * turns
            notes.append(Note(beat, step * held_steps, pitch, accent))
    return notes


def bass_line(
    harmony: Harmony,
    bars: Iterable[int],
    pattern: str,
    octave: int = 3,
    beats_per_bar: int = 4,
) -> list[Note]:
    """Play a pattern of chord steps in each bar.

    Parameters
    ----------
    pattern : str
        One character a step: `r` root, `3`, `5`, `7` steps of the chord, `o` octave,
        `_` holds the note before, `.` rest.
    octave : int
        Roots lie from its E upwards; 2 is a bass guitar, 3 a cello.
    """
    steps = pattern.replace(" ", "")
    length = beats_per_bar / len(steps)
    notes = []
    for bar in bars:
        root = harmony.chords[bar].degree
        lift = _lift(harmony.key.midi(root), octave)
        for place, mark in enumerate(steps):
            if mark not in _DEGREES:
                continue
            held = 1
            while place + held < len(steps) and steps[place + held] == "_":
                held += 1
            midi = harmony.key.midi(root + _DEGREES[mark]) + lift
            beat = bar * beats_per_bar + place * length
            accent = 0.9 if place == 0 else 0.72
            notes.append(Note(beat, held * length * _GATE, midi, accent))
    return notes


def _lift(root: int, octave: int) -> int:
    """Return the octaves that bring a root to the E of `octave` or just above it."""
    lowest = OCTAVE * octave + _E
    return lowest + (root - lowest) % OCTAVE - root


def fills(
    rng: np.random.Generator, bars: Iterable[int], n_steps: int = 8
) -> list[tuple[float, float]]:
    """Return (beat, velocity) of a roll over the last two beats of each bar."""
    rolls = []
    for bar in bars:
        kept = rng.random(n_steps) < np.linspace(0.45, 1.0, n_steps)
        for step in np.flatnonzero(kept):
            beat = bar * 4 + 2 + step * 2.0 / n_steps
            rolls.append((float(beat), 0.35 + 0.55 * float(step) / n_steps))
    return rolls

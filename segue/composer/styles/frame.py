"""What every style begins with: a tempo, a form and a harmony drawn from its ranges."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from segue.composer.form import Form, choose_form
from segue.composer.harmony import TRIAD, Harmony, Key, harmony_of, voicings
from segue.composer.instruments import Instrument, Sample
from segue.composer.score import Note, Part, Score, humanised
from segue.composer.sound import Mono

_T = TypeVar("_T")

Compose: TypeAlias = Callable[[np.random.Generator, int], Score]
"""From a generator and the number of the artist within the style (0, 1) to a score."""


@dataclass(frozen=True)
class Outline:
    """The ranges of a style, for one artist.

    Attributes
    ----------
    tempo_bpm : tuple of float
        Lowest and highest.
    tonic : int
        Note (0 is C) that the style likes best.
    scale : tuple of int
        Semitones above the tonic.
    verses, lifts : sequence of sequence of int
        Progressions to choose from: steps of the scale, one a bar.
    stack : tuple of int
        Steps stacked to a chord.
    """

    tempo_bpm: tuple[float, float]
    tonic: int
    scale: tuple[int, ...]
    verses: Sequence[Sequence[int]]
    lifts: Sequence[Sequence[int]]
    stack: tuple[int, ...] = TRIAD
    beats_per_bar: int = 4


@dataclass(frozen=True)
class Frame:
    """Tempo, form and harmony of one track, and the generator that chose them."""

    rng: np.random.Generator
    tempo_bpm: float
    form: Form
    harmony: Harmony

    def chords(self, centre: float) -> list[list[int]]:
        """Return the voiced chord of each bar, around a MIDI note."""
        return voicings(self.harmony, centre)

    def bars(self, letters: str) -> list[int]:
        """Return the bars of the sections with these letters."""
        return self.form.bars(letters)

    def loose(self, notes: Sequence[Note], timing_beats: float = 0.012) -> list[Note]:
        """Return the notes as a person would play them."""
        return humanised(notes, self.rng, timing_beats)


def begin(rng: np.random.Generator, outline: Outline) -> Frame:
    """Draw tempo, form, key and progressions."""
    tempo_bpm = float(rng.uniform(*outline.tempo_bpm))
    form = choose_form(rng, tempo_bpm, outline.beats_per_bar)
    key = Key(outline.tonic, outline.scale)
    verse, lift = pick(rng, outline.verses), pick(rng, outline.lifts)
    harmony = harmony_of(form, key, verse, lift, outline.stack)
    return Frame(rng, tempo_bpm, form, harmony)


def pick(rng: np.random.Generator, options: Sequence[_T]) -> _T:
    """Return one of the options."""
    return options[int(rng.integers(len(options)))]


def beat(
    notes: Sequence[Note],
    sound: Mono,
    level_db: float,
    pan: float = 0.0,
    reverb: float = 0.06,
) -> Part:
    """Return the part of one drum."""
    instrument: Instrument = Sample(sound)
    return Part(notes, instrument, level_db, pan=pan, reverb=reverb)


def crashes(frame: Frame, sound: Mono, letters: str = "AB") -> Part:
    """Return a cymbal on the first beat of each of these sections."""
    starts = frame.form.first_bars(letters)
    notes = [Note(bar * frame.form.beats_per_bar, 1.0, 60.0, 0.7) for bar in starts]
    return beat(notes, sound, -27.0, pan=0.25, reverb=0.2)

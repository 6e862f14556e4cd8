"""Keys, chords and voice leading."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Final

from segue.composer.form import Form

MAJOR: Final = (0, 2, 4, 5, 7, 9, 11)
MINOR: Final = (0, 2, 3, 5, 7, 8, 10)
DORIAN: Final = (0, 2, 3, 5, 7, 9, 10)
MIXOLYDIAN: Final = (0, 2, 4, 5, 7, 9, 10)
LYDIAN: Final = (0, 2, 4, 6, 7, 9, 11)
PHRYGIAN: Final = (0, 1, 3, 5, 7, 8, 10)
PENTATONIC: Final = (0, 2, 4, 7, 9)
PELOG: Final = (0, 1, 3, 7, 8)
OCTAVE: Final = 12
_CLOSE: Final = 2  # semitones; notes nearer than this rub


@dataclass(frozen=True)
class Key:
    """A tonic (MIDI note 0 to 11) and a scale as semitones above it."""

    tonic: int
    scale: tuple[int, ...]

    def midi(self, degree: int, octave: int = 0) -> int:
        """Return the note on a step of the scale; step 0 of octave 5 is C5 in C.

        Examples
        --------
        >>> [Key(0, MAJOR).midi(degree, 5) for degree in (4, 7, -1)]
        [67, 72, 59]
        """
        turns, step = divmod(degree, len(self.scale))
        return self.tonic + self.scale[step] + OCTAVE * (octave + turns)

    def nearest_degree(self, midi: float) -> int:
        """Return the step, counted from octave 0, that lies nearest to a note."""
        span = range(len(self.scale) * 11)
        return min(span, key=lambda degree: abs(self.midi(degree) - midi))


@dataclass(frozen=True)
class Chord:
    """A chord as a step of the scale and the steps stacked upon it."""

    degree: int
    stack: tuple[int, ...] = (0, 2, 4)

    def degrees(self) -> tuple[int, ...]:
        """Return the steps of the scale that sound."""
        return tuple(self.degree + step for step in self.stack)


TRIAD: Final = (0, 2, 4)
SEVENTH: Final = (0, 2, 4, 6)
NINTH: Final = (0, 2, 4, 6, 8)
OPEN: Final = (0, 4, 8)
SUSPENDED: Final = (0, 3, 4)
POWER: Final = (0, 4, 7)


@dataclass(frozen=True)
class Harmony:
    """A key and one chord for each bar."""

    key: Key
    chords: tuple[Chord, ...]

    def is_chord_tone(self, bar: int, degree: int) -> bool:
        """Tell whether a step of the scale belongs to the chord of a bar."""
        n = len(self.key.scale)
        return degree % n in {step % n for step in self.chords[bar].degrees()}


def harmony_of(
    form: Form,
    key: Key,
    verse: Sequence[int],
    lift: Sequence[int],
    stack: tuple[int, ...] = TRIAD,
) -> Harmony:
    """Lay two progressions over a form: `lift` under its B sections, `verse` elsewhere.

    Parameters
    ----------
    verse, lift : sequence of int
        Steps of the scale, one a bar, repeated from the start of the song.
    """
    chords = []
    for bar in range(form.n_bars):
        steps = lift if form.letter_of(bar) == "B" else verse
        chords.append(Chord(steps[bar % len(steps)], stack))
    chords[-1] = Chord(verse[0], stack)
    return Harmony(key, tuple(chords))


def voicings(harmony: Harmony, centre: float) -> list[list[int]]:
    """Return the notes of each bar's chord, led from bar to bar by the smallest steps.

    Parameters
    ----------
    harmony : Harmony
        Chords.
    centre : float
        MIDI note around which the chords lie.

    Examples
    --------
    >>> voicings(Harmony(Key(0, MAJOR), (Chord(0), Chord(3), Chord(4))), 64)
    [[60, 64, 67], [60, 65, 69], [59, 62, 67]]
    """
    known: dict[tuple[Chord, tuple[int, ...]], list[int]] = {}
    voiced: list[list[int]] = []
    for chord in harmony.chords:
        before = tuple(voiced[-1]) if voiced else ()
        if (chord, before) not in known:
            known[chord, before] = _voicing(harmony.key, chord, before, centre)
        voiced.append(known[chord, before])
    return voiced


def _voicing(
    key: Key, chord: Chord, before: tuple[int, ...], centre: float
) -> list[int]:
    choices = [_octaves_near(key.midi(degree), centre) for degree in chord.degrees()]
    spreads = [sorted(notes) for notes in product(*choices)]

    def cost(notes: list[int]) -> float:
        off_centre = abs(sum(notes) / len(notes) - centre)
        gaps = pairwise(notes)
        crowd = sum(3.0 for low, high in gaps if high - low < _CLOSE)
        if not before:
            return off_centre + crowd + 0.2 * (notes[-1] - notes[0])
        moves = zip(notes, before, strict=False)
        return sum(abs(a - b) for a, b in moves) + 0.5 * off_centre + crowd

    return min(spreads, key=cost)


def _octaves_near(midi: int, centre: float) -> list[int]:
    nearest = midi + OCTAVE * round((centre - midi) / OCTAVE)
    return [nearest, nearest + OCTAVE if nearest < centre else nearest - OCTAVE]

"""The score: notes for instruments, and the room in which they are played."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from segue.composer.instruments import Instrument
from segue.composer.sound import Mono, Stereo


@dataclass(frozen=True, slots=True)
class Note:
    """One note: start and length in beats, MIDI pitch, velocity from 0 to 1."""

    beat: float
    beats: float
    midi: float
    velocity: float = 0.8


@dataclass(frozen=True)
class Part:
    """What one instrument plays, and its place in the mix.

    Attributes
    ----------
    level_db : float
        Loudness of the part where it plays.
    pan, width : float
        Place from -1 to 1; spread from 0 to 1 (a wide part stands in the middle).
    reverb, delay : float
        Shares that are sent into the room and into the echo.
    duck : float
        How far the kick presses it down, from 0 to 1.
    effect : callable, optional
        From the dry sound of the part to another.
    """

    notes: Sequence[Note]
    instrument: Instrument
    level_db: float
    pan: float = 0.0
    width: float = 0.0
    reverb: float = 0.15
    delay: float = 0.0
    duck: float = 0.0
    effect: Callable[[Mono], Mono] | None = None


@dataclass(frozen=True)
class Room:
    """Reverb and echo: seconds, damping in Hz, echo in beats and its feedback."""

    reverb_s: float = 1.6
    damping_hz: float = 3500.0
    delay_beats: float = 0.75
    feedback: float = 0.42


@dataclass(frozen=True)
class Score:
    """A whole track before it is sound.

    Attributes
    ----------
    kicks : sequence of Note
        What presses the ducked parts down.
    finish : callable, optional
        Last colour of the mix, before mastering; gets a generator of its own.
    """

    tempo_bpm: float
    n_beats: float
    parts: Sequence[Part]
    room: Room = field(default_factory=Room)
    kicks: Sequence[Note] = ()
    finish: Callable[[Stereo, np.random.Generator], Stereo] | None = None
    tail_s: float = 2.5


def humanised(
    notes: Sequence[Note],
    rng: np.random.Generator,
    timing_beats: float = 0.012,
    velocity: float = 0.07,
) -> list[Note]:
    """Return the notes a little early or late, softer or harder, as people play."""
    offsets = rng.normal(0.0, timing_beats, len(notes))
    accents = rng.normal(0.0, velocity, len(notes))
    return [
        replace(
            note,
            beat=max(0.0, note.beat + float(offset)),
            velocity=float(np.clip(note.velocity + accent, 0.08, 1.0)),
        )
        for note, offset, accent in zip(notes, offsets, accents, strict=True)
    ]


def swung(notes: Sequence[Note], share: float, grid_beats: float = 0.5) -> list[Note]:
    """Return the notes with every second one of the grid late.

    Parameters
    ----------
    share : float
        Where the off-beat falls in its pair: 0.5 straight, 0.667 triplets.
    grid_beats : float
        Length of a step: 0.5 swings eighths, 0.25 sixteenths.

    Examples
    --------
    >>> [note.beat for note in swung([Note(0.0, 1, 60), Note(0.5, 1, 60)], 0.6)]
    [0.0, 0.6]
    """
    late = (share - 0.5) * 2.0 * grid_beats
    return [
        replace(note, beat=note.beat + late)
        if round(note.beat / grid_beats) % 2
        and abs(note.beat / grid_beats - round(note.beat / grid_beats)) < 0.1  # noqa: PLR2004
        else note
        for note in notes
    ]

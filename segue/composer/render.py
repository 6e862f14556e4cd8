"""From score to sound."""

import numpy as np

from segue.composer.effects import ducked, panned, ping_pong, reverb, widened
from segue.composer.master import mastered
from segue.composer.score import Note, Part, Score
from segue.composer.sound import (
    Mono,
    Stereo,
    active_rms,
    gain_of,
    hz_of,
    n_samples,
)

_VELOCITY_STEPS = 4
_VELOCITY_POWER = 1.4


def render(score: Score, rng: np.random.Generator) -> Stereo:
    """Play and master a score.

    Parameters
    ----------
    score : Score
        What to play.
    rng : Generator
        Makes the room and the noise of the medium.

    Returns
    -------
    ndarray, float32, shape (2, n)
        At 44.1 kHz.
    """
    beat_s = 60.0 / score.tempo_bpm
    n = n_samples(score.n_beats * beat_s + score.tail_s)
    kick_s = [note.beat * beat_s for note in score.kicks]
    mix, room, echo = (np.zeros((2, n), dtype=np.float32) for _ in range(3))
    for part in score.parts:
        sound = _played(part, beat_s, n, kick_s)
        mix += sound
        if part.reverb:
            room += np.float32(part.reverb) * sound
        if part.delay:
            echo += np.float32(part.delay) * sound
    if echo.any():
        echo = ping_pong(echo, score.room.delay_beats * beat_s, score.room.feedback)
        mix += echo
        room += np.float32(0.3) * echo
    mix += reverb(room, rng, score.room.reverb_s, score.room.damping_hz)
    if score.finish is not None:
        mix = score.finish(mix, rng)
    return mastered(mix, fade_out_s=score.tail_s)


def _played(part: Part, beat_s: float, n: int, kick_s: list[float]) -> Stereo:
    dry = placed(part, beat_s, n)
    if part.effect is not None:
        dry = part.effect(dry)
    rms = active_rms(dry)
    if rms > 0.0:
        dry = dry * np.float32(gain_of(part.level_db) / rms)
    sound = widened(dry, part.width) if part.width else panned(dry, part.pan)
    return ducked(sound, kick_s, part.duck, 0.14) if part.duck and kick_s else sound


def placed(part: Part, beat_s: float, n: int) -> Mono:
    """Return the dry sound of a part: each note at its time, equal notes made once.

    Parameters
    ----------
    part : Part
        Notes and instrument.
    beat_s : float
        Seconds in a beat.
    n : int
        Samples of the result; what lies beyond is cut.
    """
    made: dict[tuple[float, float, int], Mono] = {}
    track = np.zeros(n, dtype=np.float32)
    for note in part.notes:
        step = max(1, round(note.velocity * _VELOCITY_STEPS))
        key = (note.midi, round(note.beats * beat_s, 2), step)
        if key not in made:
            made[key] = part.instrument(
                hz_of(note.midi), key[1], step / _VELOCITY_STEPS
            )
        _add(track, made[key], note, n_samples(note.beat * beat_s) - 1)
    return track


def _add(track: Mono, sound: Mono, note: Note, first: int) -> None:
    last = min(len(track), first + len(sound))
    if first < last:
        gain = np.float32(note.velocity**_VELOCITY_POWER)
        track[first:last] += gain * sound[: last - first]

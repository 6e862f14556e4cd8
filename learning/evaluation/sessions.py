"""How sessions go on: the questions of playlists and of radio.

`continuation`: the first half of a session was heard, by somebody whose past is known;
what comes in the other half? `radio`: nothing is known but the first track of it.
"""

from collections.abc import Iterator
from dataclasses import replace

from learning.evaluation.judging import Ground, ground_of
from learning.evaluation.splits import begun_sessions, together
from models.recommenders.plays import Plays

CONTINUATION = "continuation"
RADIO = "radio"


def continuation_ground(before: Plays, after: Plays) -> Ground:
    """Return the ground of halves of the later period's sessions."""
    begun, rest = begun_sessions(after, lambda n_plays: (n_plays + 1) // 2)
    return ground_of(together(before, begun), rest, None)


def radio_ground(before: Plays, after: Plays) -> Ground:
    """Return the ground of the first tracks of the later period's sessions."""
    begun, rest = begun_sessions(after, lambda _: 1)
    return replace(ground_of(before, rest, None), heard=begun.histories())


def session_grounds(before: Plays, after: Plays) -> Iterator[tuple[str, Ground]]:
    """Yield each question with its ground."""
    yield CONTINUATION, continuation_ground(before, after)
    yield RADIO, radio_ground(before, after)

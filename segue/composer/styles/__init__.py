"""The twelve styles of the demo library, by families."""

from dataclasses import dataclass
from typing import Final

from segue.composer.styles.acoustic import folk, piano
from segue.composer.styles.bass import drum_and_bass, dub
from segue.composer.styles.calm import ambient, bells
from segue.composer.styles.club import house, techno
from segue.composer.styles.console import chiptune, lofi
from segue.composer.styles.ensemble import noise_rock, strings
from segue.composer.styles.frame import Compose


@dataclass(frozen=True)
class Style:
    """A style: the genre that its tags name, and who composes it."""

    genre: str
    compose: Compose


STYLES: Final = (
    Style("House", house),
    Style("Ambient", ambient),
    Style("Chiptune", chiptune),
    Style("Folk", folk),
    Style("Drum and Bass", drum_and_bass),
    Style("Solo Piano", piano),
    Style("Strings", strings),
    Style("Dub", dub),
    Style("Acid Techno", techno),
    Style("Bells", bells),
    Style("Noise Rock", noise_rock),
    Style("Lo-fi Hip Hop", lofi),
)

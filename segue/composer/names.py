"""Invented names of artists, albums and tracks, drawn from word lists by style."""

from collections.abc import Sequence
from typing import Final

import numpy as np

_HEADS: Final = (
    "Brindle Quill Ovel Tarn Zephra Morro Lumi Pelli Vandri Eska Thessa Corri",
    "Mirra Hollo Juni Kelda Nevi Orsi Sable Wyndo Fenna Galli Irri Calyx",
    "Doma Yarro Bramo Selki Tovi Ulla Pritha Rundel Amari Oskel Vesper Lindo",
)
_TAILS: Final = (
    "wick mar dale vane lune thorn mere veld",
    "nox quay fold rill gard bloom stead tide",
)

# genre: shapes of an artist's name, where {} is an invented word
_ARTISTS: Final[dict[str, tuple[str, ...]]] = {
    "House": ("{} Motor Club", "Casa {}", "{} After Dark"),
    "Ambient": ("{} Weather Station", "Slow {}", "{} Drift"),
    "Chiptune": ("{} 8000", "Captain {}", "{} Cartridge"),
    "Folk": ("{} & {}", "The {} Rovers", "{} Hollow"),
    "Drum and Bass": ("{} Transit", "Unit {}", "{} Reactor"),
    "Solo Piano": ("{} at the Piano", "The {} Nocturnes", "{} Upright"),
    "Strings": ("{} Quartet", "The {} Players", "{} Chamber Strings"),
    "Dub": ("{} Sound System", "Echo {}", "King {} Hi-Fi"),
    "Acid Techno": ("{} Voltage", "Oscillator {}", "{} Apparatus"),
    "Bells": ("{} Gong Society", "Music Box {}", "{} Carillon"),
    "Noise Rock": ("The {}s", "Loud {}", "{} Avalanche"),
    "Lo-fi Hip Hop": ("{} Tape Deck", "Sleepy {}", "{} & the Dust"),
}
# genre: what its titles and albums are made of
_WORDS: Final[dict[str, tuple[str, str]]] = {
    "House": (
        "Velvet Midnight Golden Neon Mirror Rooftop Summer Satin Second Electric",
        "Groove Elevator Lights Feeling Terrace Motion Disco Sunrise Hands Avenue",
    ),
    "Ambient": (
        "Pale Distant Weightless Glacial Hidden Quiet Drifting Silver Tidal Soft",
        "Horizon Harbour Cloud Meridian Lagoon Orbit Snowfield Lantern Breath Aurora",
    ),
    "Chiptune": (
        "Pixel Turbo Bonus Secret Mega Rainbow Hyper Crystal Lunar Tiny",
        "Castle Quest Level Robot Rocket Dungeon Arcade Dragon Coin Parade",
    ),
    "Folk": (
        "Old Amber Wandering Copper Barley Morning Winding River Orchard Hazel",
        "Road Gate Fiddle Mill Harvest Lane Hearth Ferry Meadow Swallow",
    ),
    "Drum and Bass": (
        "Night Carbon Rapid Vapour Steel Infra Broken Liquid Sonar Kinetic",
        "Runner Signal Tunnel Pressure Circuit Skyline Pulse Vector Rain Descent",
    ),
    "Solo Piano": (
        "First Unsent Winter Paper Gentle Blue Late Fallen Candle Grey",
        "Letter Waltz Snow Window Prelude Garden Reverie Staircase Lullaby Rain",
    ),
    "Strings": (
        "Evening Crimson Solemn Ivory Royal Autumn Silent Northern Bright Last",
        "Procession Elegy Gallery March Vigil Chaconne Cathedral Minuet Dusk Vow",
    ),
    "Dub": (
        "Heavy Deep Roots Conscious Humid Tropic Zion Lion Bamboo Steady",
        "Version Echo Chamber Riddim Fire Bassline Skank Island Meditation Dub",
    ),
    "Acid Techno": (
        "Raw Mercury Acid Concrete Strobe Phase Analog Toxic Zero Warehouse",
        "Sequence Machine Filter Protocol Reactor Loop Drill Chrome Spiral State",
    ),
    "Bells": (
        "Jade Bronze Temple Lotus Tinsel Moonlit Rain Sandalwood Clockwork Pearl",
        "Courtyard Procession Gong Carousel Pavilion Dance Spire Lacquer Moth Rice",
    ),
    "Noise Rock": (
        "Rusted Burning Static Feral Concrete Blinding Hollow Violent Salt Wrecked",
        "Engine Teeth Halo Siren Bridge Wires Furnace Thunder Machine Flood",
    ),
    "Lo-fi Hip Hop": (
        "Sunday Rainy Faded Dusty Cozy Lazy Late Borrowed Warm Corner",
        "Coffee Bus Notebook Blanket Sidewalk Cassette Window Study Ramen Balcony",
    ),
}


def invented_words(rng: np.random.Generator, n: int) -> list[str]:
    """Return `n` different words that are no words.

    Examples
    --------
    >>> invented_words(np.random.default_rng(7), 2)
    ['Ullastead', 'Brindledale']
    """
    words = [head + tail for head in _split(_HEADS) for tail in _split(_TAILS)]
    return [str(word) for word in rng.permutation(words)[:n]]


def _split(lines: Sequence[str]) -> list[str]:
    return " ".join(lines).split()


def artist_names(
    rng: np.random.Generator, genre: str, words: Sequence[str]
) -> list[str]:
    """Return the names of a genre's artists, one for every two invented words."""
    shapes = rng.permutation(_ARTISTS[genre])
    pairs = zip(words[::2], words[1::2], strict=True)
    return [
        str(shape).format(first, second)
        for shape, (first, second) in zip(shapes, pairs, strict=False)
    ]


def titles(rng: np.random.Generator, genre: str, n: int) -> list[str]:
    """Return `n` titles in which no word comes twice; `n` is ten at most."""
    first, second = (words.split() for words in _WORDS[genre])
    left, right = rng.permutation(first)[:n], rng.permutation(second)[:n]
    return [f"{a} {b}" for a, b in zip(left, right, strict=True)]

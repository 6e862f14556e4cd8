"""Song form: which section each bar belongs to.

The letters are I intro, A theme, B lift, K break, O outro.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

_SHORTEST_S: Final = 42.5
_LONGEST_S: Final = 55.5
_TEMPLATES: Final = {
    5: ("IAKBO", "IABAO"),
    6: ("IABKBO", "IAAKBO"),
    7: ("IAABKBO", "IABAKBO"),
    8: ("IAABKABO", "IAABKBAO"),
    9: ("IAABBKABO", "IAABAKBBO"),
    10: ("IAABBKAABO", "IAABAAKBBO"),
}


@dataclass(frozen=True)
class Form:
    """A song as sections of equal length.

    Attributes
    ----------
    letters : str
        One letter a section.
    unit_bars : int
        Bars in a section.
    beats_per_bar : int
        Beats in a bar.
    """

    letters: str
    unit_bars: int
    beats_per_bar: int = 4

    @property
    def n_bars(self) -> int:
        """Bars of the whole song."""
        return len(self.letters) * self.unit_bars

    @property
    def n_beats(self) -> int:
        """Beats of the whole song."""
        return self.n_bars * self.beats_per_bar

    def letter_of(self, bar: int) -> str:
        """Return the letter of the section in which a bar lies."""
        return self.letters[bar // self.unit_bars]

    def bars(self, letters: str) -> list[int]:
        """Return the bars of all sections with one of these letters.

        Examples
        --------
        >>> Form("IAO", 2).bars("AO")
        [2, 3, 4, 5]
        """
        return [bar for bar in range(self.n_bars) if self.letter_of(bar) in letters]

    def first_bars(self, letters: str) -> list[int]:
        """Return the first bar of each such section."""
        return [bar for bar in self.bars(letters) if bar % self.unit_bars == 0]

    def last_bars(self, letters: str) -> list[int]:
        """Return the last bar of each such section: the place of a fill."""
        last = self.unit_bars - 1
        return [bar for bar in self.bars(letters) if bar % self.unit_bars == last]


def choose_form(
    rng: np.random.Generator, tempo_bpm: float, beats_per_bar: int = 4
) -> Form:
    """Return a form whose length at this tempo lies between 42.5 and 55.5 s."""
    bar_s = beats_per_bar * 60.0 / tempo_bpm
    fitting = [
        Form(letters, unit_bars, beats_per_bar)
        for unit_bars in (2, 4, 8)
        for n_units, templates in _TEMPLATES.items()
        for letters in templates
        if _SHORTEST_S <= n_units * unit_bars * bar_s <= _LONGEST_S
    ]
    return fitting[int(rng.integers(len(fitting)))]

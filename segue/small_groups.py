"""Groups of few people are not shown, nor what tells of them by subtraction."""

from collections.abc import Sequence
from typing import Final

LEAST: Final = 5
"""Of a group that is shown."""


def is_few(n: int) -> bool:
    """Say whether so many people, or so few, are not to be told apart.

    Nobody at all is no group.

    Examples
    --------
    >>> [is_few(n) for n in (0, 1, 4, 5)]
    [False, True, True, False]
    """
    return 0 < n < LEAST


def tells_of_few(n: int, of: int) -> bool:
    """Say whether `n` of so many people tell of few: of these, or of all the others.

    Examples
    --------
    >>> tells_of_few(6, 8), tells_of_few(0, 8), tells_of_few(8, 8)
    (True, False, False)
    """
    return is_few(n) or is_few(of - n)


def shown(sizes: Sequence[int], hidden: Sequence[bool] = ()) -> list[bool]:
    """Return which of some groups may be shown beside a total of all.

    Parameters
    ----------
    sizes : sequence of int
        Of groups that add up to the total.
    hidden : sequence of bool, optional
        Those that are not shown anyhow; default is those of few people.

    Returns
    -------
    list of bool
        Those that are not shown are two groups or more, of `LEAST` people or more
        together, so that the total does not tell the size of one: the smallest others
        are hidden with them where they are not. Without any hidden ones, all are shown.

    Examples
    --------
    >>> shown([9, 3, 7, 0])
    [True, False, False, True]
    >>> shown([9, 3, 2, 7])
    [True, False, False, True]
    """
    out = list(hidden) or [is_few(size) for size in sizes]
    places = sorted(range(len(sizes)), key=lambda place: sizes[place])
    others = [place for place in places if sizes[place] and not out[place]]
    while others and _is_told([sizes[place] for place in places if out[place]]):
        out[others.pop(0)] = True
    return [not is_out for is_out in out]


def _is_told(sizes: Sequence[int]) -> bool:
    """Say whether the sum of hidden groups tells of one, or of few people."""
    groups = [size for size in sizes if size]
    return len(groups) == 1 or is_few(sum(groups))

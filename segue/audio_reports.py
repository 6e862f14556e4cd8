"""What a report on the audio space says, and how far two reports differ.

`features` writes one for each index, the analysts' page reads them: this is their
contract. Every list in it is bounded, whatever the size of the catalogue.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, NamedTuple, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

KEPT: Final = 50
"""Reports that stay, the newest."""
HUB_CLASSES: Final = (
    *(0, 1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300, 450, 675, 1000),
)
"""Lower edges of the classes of a k-occurrence; the last has no upper one."""
SIZES: Final = range(2, 11)
"""Classes of the sizes of groups; the last is of its size and all above."""
HIGH_SKEW: Final = 1.4
"""Above it hubs count as a problem (Flexer & Stevens 2018)."""
MANY_ORPHANS: Final = 0.1
SMALL_SHIFT: Final = 0.2
LARGE_SHIFT: Final = 0.5
"""A difference of means from 0.2 deviations on is small, from 0.5 on of medium size
(Cohen 1988); of whole catalogues the latter is much."""
MOST_SHIFT: Final = 10.0
"""Stands for more, and for a dimension that never differs but has moved."""
FLAT: Final = 1e-6
"""Below this share of the mean a deviation is rounding of float32, not music."""


def _at_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


Moment = Annotated[datetime, AfterValidator(_at_utc)]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, validate_by_name=True, validate_by_alias=True, allow_inf_nan=False
    )


class Hubness(_Part):
    """How evenly one way of ranking spreads lists of `k` over a sample of tracks.

    Attributes
    ----------
    skew : float
        Skewness of the k-occurrence: in how many lists each track stands.
    orphan_share : float
        Tracks that are in no list.
    top_share : float
        Places of all lists that the most listed hundredth of the tracks takes.
    counts : list of int
        Tracks by `HUB_CLASSES`.
    """

    way: str
    skew: float
    orphan_share: float
    top_share: float
    counts: list[int] = Field(min_length=len(HUB_CLASSES), max_length=len(HUB_CLASSES))


class Hubs(_Part):
    """Hubness of each way among `n_sampled` tracks."""

    n_sampled: int
    k: int
    ways: list[Hubness]


class Block(_Part):
    """A block of features, dimension by dimension, over all tracks of the index.

    Attributes
    ----------
    n_nonfinite : int
        Values that are no number; their tracks do not count.
    means, deviations, zero_shares : list of float
    flat : list of int
        Dimensions that are dead: they do not differ between tracks.
    """

    name: str
    n_nonfinite: int
    means: list[float]
    deviations: list[float]
    zero_shares: list[float]
    flat: list[int]

    @model_validator(mode="after")
    def _is_one_table(self) -> Self:
        if not len(self.means) == len(self.deviations) == len(self.zero_shares):
            raise ValueError("columns of different length")
        if any(not 0 <= dim < len(self.means) for dim in self.flat):
            raise ValueError("a dead dimension that is not there")
        return self


class Twin(_Part):
    """A dimension that repeats an earlier one, with their correlation."""

    name: str
    earlier: str
    r: float


class Twins(_Part):
    """Dimensions that repeat an earlier one, and the first of them."""

    n: int
    first: list[Twin]


class Group(_Part):
    """The same thing `n` times, and the first of their ids or paths."""

    n: int
    first: list[str]


class Groups(_Part):
    """Tracks, or files, that are there more than once.

    Attributes
    ----------
    n_groups, n_members : int
    sizes : list of int
        Groups by `SIZES`.
    largest : list of Group
    """

    n_groups: int
    n_members: int
    sizes: list[int]
    largest: list[Group]


class Reason(_Part):
    """Files that fail the same way; `n_retry` of them are tried again."""

    stage: str
    error_class: str
    n_files: int
    n_retry: int


class FailedFile(_Part):
    """A file of the library of which no track could be made.

    Attributes
    ----------
    path : str
        Below its music folder.
    """

    path: str
    stage: str
    error_class: str
    message: str
    failed_at: Moment
    retry: bool


class Failures(_Part):
    """All files that fail, by reason, and the newest of them."""

    n_files: int
    reasons: list[Reason]
    newest: list[FailedFile]


class Batch(_Part):
    """The newest run of the extraction against the tracks before it.

    Attributes
    ----------
    shifts : list of (block, shift)
        Root mean square of the differences of means in deviations, less what chance
        gives; largest first.
    """

    since: Moment
    n_newest: int
    n_rest: int
    shifts: list[tuple[str, float]]


class SpaceFacts(_Part):
    """The taste space: when it was fitted, to how many tracks, of how many axes.

    Attributes
    ----------
    n_placed : int
        Tracks of the index that it was not fitted to: they were placed in it.
    """

    fitted_at: Moment
    n_fitted: int
    n_placed: int
    n_axes: int


class AudioReport(_Part):
    """The document of one index in the collection `audio_reports`.

    Attributes
    ----------
    n_dims : int
        Of a row of features; of very many only the first are looked at.
    twins : Twins
        Among an even sample of the tracks.
    recordings : Groups
        Tracks of the same recording.
    copies : Groups
        Files of the same bytes: each group is one track.
    """

    version: str = Field(validation_alias="_id", serialization_alias="_id")
    made_at: Moment
    spec: str
    n_tracks: int
    n_dims: int
    space: SpaceFacts
    hubs: Hubs
    blocks: list[Block]
    twins: Twins
    batch: Batch | None
    recordings: Groups
    copies: Groups
    failures: Failures


class BlockDrift(NamedTuple):
    """How far the means of a block have moved between two reports.

    Attributes
    ----------
    mean, most : float
        Of the sizes of the differences over the dimensions, in deviations.
    dim : int
        Which dimension has moved most.
    """

    name: str
    mean: float
    most: float
    dim: int


def drift_between(before: AudioReport, after: AudioReport) -> list[BlockDrift]:
    """Return how far each block has moved that both reports have, the farthest first.

    A difference is standardised: ``|m₂ - m₁| / √((s₁² + s₂²) / 2)``, `MOST_SHIFT` at
    most.
    """
    known = {block.name: block for block in before.blocks}
    found = [
        _moved(known[block.name], block)
        for block in after.blocks
        if block.name in known and len(block.means) == len(known[block.name].means)
    ]
    return sorted(found, key=lambda each: (-each.most, each.name))


def sizes_of(sizes: Sequence[int]) -> list[int]:
    """Return how many groups there are of each class of `SIZES`.

    Examples
    --------
    >>> sizes_of([2, 2, 3, 50])
    [2, 1, 0, 0, 0, 0, 0, 0, 1]
    """
    counts = [0] * len(SIZES)
    for size in sizes:
        counts[min(size, SIZES[-1]) - SIZES[0]] += 1
    return counts


def _moved(before: Block, after: Block) -> BlockDrift:
    mean_1, mean_2 = np.array(before.means), np.array(after.means)
    pooled = np.hypot(before.deviations, after.deviations) / np.sqrt(2)
    away = np.abs(mean_2 - mean_1)
    # what is as near as rounding has not moved
    away[away <= FLAT * np.abs(mean_1)] = 0
    moved = np.minimum(away, MOST_SHIFT * pooled)
    shifts = np.divide(moved, pooled, out=MOST_SHIFT * (away > 0), where=pooled > 0)
    if not len(shifts):
        return BlockDrift(after.name, 0.0, 0.0, 0)
    most = int(shifts.argmax())
    return BlockDrift(after.name, float(shifts.mean()), float(shifts[most]), most)

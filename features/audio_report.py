"""The report on the audio space of one index, as plain numbers; NumPy only.

Neighbours and correlations are looked for in an even sample, so that the cost is about
linear in the number of tracks and small beside that of a build.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.drift import block_shifts, newest_batch
from features.metrics import evenly_spaced, sampled_occurrence, skewness, top_share
from features.retrieval import HUB_K, MAX_HUB_TRACKS, RANKED, TASTE
from features.space import Blocks, TasteSpace, is_flat
from segue.audio_reports import (
    HUB_CLASSES,
    AudioReport,
    Batch,
    Block,
    Failures,
    Group,
    Groups,
    Hubness,
    Hubs,
    SpaceFacts,
    Twin,
    Twins,
    sizes_of,
)
from segue.track_index import TrackIndex

TWIN_R: Final = 0.999
"""From this correlation on a dimension repeats another one."""
MAX_DIMS: Final = 4096
N_GROUPS: Final = 100
N_MEMBERS: Final = 5
N_TWINS: Final = 500
_TWIN_ROWS: Final = 4096


@dataclass(frozen=True, eq=False)
class Material:
    """What a report is made of.

    Attributes
    ----------
    spec : str
        Of the features: another one means other dimensions.
    blocks : mapping
        Float32 matrices by name, in the order of the index's tracks.
    extracted_at : ndarray of datetime64, shape (n_tracks,)
    recordings : sequence of str
        `recording_id` of each track.
    copies : sequence of sequence of str
        Paths of files of the same bytes.
    """

    spec: str
    blocks: Blocks
    extracted_at: NDArray[np.datetime64]
    recordings: Sequence[str]
    copies: Sequence[Sequence[str]]
    failures: Failures


def make_report(
    index: TrackIndex,
    space: TasteSpace,
    n_placed: int,
    material: Material,
    now: datetime,
) -> AudioReport:
    """Return the report on an index.

    Parameters
    ----------
    n_placed : int
        Tracks of the index that the space was not fitted to.
    """
    blocks = first_dimensions(material.blocks)
    numbers = np.unique(np.asarray(material.recordings), return_inverse=True)[1]
    return AudioReport(
        version=index.version,
        made_at=now,
        spec=material.spec,
        n_tracks=len(index.track_ids),
        n_dims=sum(matrix.shape[1] for matrix in material.blocks.values()),
        space=SpaceFacts(
            fitted_at=space.fitted_at,
            n_fitted=space.n_fitted,
            n_placed=n_placed,
            n_axes=space.axes.shape[1],
        ),
        hubs=measure_hubs(index, numbers),
        blocks=[_block(name, matrix) for name, matrix in blocks.items()],
        twins=find_twins(blocks),
        batch=_batch(blocks, material.extracted_at),
        recordings=grouped(_recordings(index.track_ids, numbers)),
        copies=grouped(material.copies),
        failures=material.failures,
    )


def first_dimensions(blocks: Blocks, most: int = MAX_DIMS) -> Blocks:
    """Return the blocks, without what lies beyond `most` dimensions of all."""
    found, left = dict[str, NDArray[np.float32]](), most
    for name, matrix in blocks.items():
        if left > 0:
            found[name] = matrix[:, :left]
            left -= matrix.shape[1]
    return found


def measure_hubs(index: TrackIndex, recordings: NDArray[np.intp]) -> Hubs:
    """Measure in how many lists tracks stand, by cosine and with hub scales.

    Parameters
    ----------
    recordings : ndarray of int, shape (n_tracks,)
        Tracks of one recording are not in each other's lists.
    """
    sample = evenly_spaced(len(index.track_ids), MAX_HUB_TRACKS)
    points = np.nan_to_num(index.vectors[sample], posinf=0.0, neginf=0.0)
    ones = np.ones(len(sample), dtype=np.float32)
    rows, own = np.arange(len(sample)), recordings[sample]
    ways = [
        hubness(way, sampled_occurrence(points, scales, rows, HUB_K, own))
        for way, scales in ((TASTE, ones), (RANKED, index.scales[sample]))
    ]
    return Hubs(n_sampled=len(sample), k=HUB_K, ways=ways)


def hubness(way: str, counts: NDArray[np.int64]) -> Hubness:
    """Return what a k-occurrence comes to."""
    classes = np.searchsorted(HUB_CLASSES, counts, side="right") - 1
    return Hubness(
        way=way,
        skew=skewness(counts),
        orphan_share=float((counts == 0).mean()),
        top_share=top_share(counts),
        counts=np.bincount(classes, minlength=len(HUB_CLASSES)).tolist(),
    )


def find_twins(blocks: Blocks) -> Twins:
    """Return the dimensions that repeat an earlier one, of whatever block.

    Dead ones are no twins of each other.
    """
    names = [f"{name}[{n}]" for name, m in blocks.items() for n in range(m.shape[1])]
    n_tracks = len(next(iter(blocks.values()), ()))
    sample = evenly_spaced(n_tracks, _TWIN_ROWS)
    scores = _scores(np.concatenate([m[sample] for m in blocks.values()], axis=1))
    # only what lies before a dimension can be repeated by it
    r = np.tril(scores.T @ scores / max(1, len(scores)), -1)
    earlier = np.abs(r).argmax(axis=1)
    best = r[np.arange(len(r)), earlier]
    found = np.flatnonzero(np.abs(best) > TWIN_R)
    first = [
        Twin(name=names[n], earlier=names[earlier[n]], r=float(np.clip(best[n], -1, 1)))
        for n in found[:N_TWINS].tolist()
    ]
    return Twins(n=len(found), first=first)


def grouped(groups: Sequence[Sequence[str]]) -> Groups:
    """Return groups of more than one, the largest first."""
    several = [sorted(group) for group in groups if len(group) > 1]
    largest = sorted(several, key=lambda group: (-len(group), group))
    return Groups(
        n_groups=len(several),
        n_members=sum(map(len, several)),
        sizes=sizes_of([len(group) for group in several]),
        largest=[
            Group(n=len(group), first=group[:N_MEMBERS]) for group in largest[:N_GROUPS]
        ],
    )


def _scores(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return z-scores of the rows that are numbers; 0 for dead dimensions."""
    usable = matrix[np.isfinite(matrix).all(axis=1)]
    if not len(usable):
        return np.zeros((0, matrix.shape[1]), dtype=np.float32)
    mean = usable.mean(axis=0, dtype=np.float64)
    deviation = usable.std(axis=0, dtype=np.float64)
    dead = is_flat(mean, deviation)
    scores = np.divide(
        usable - mean, deviation, out=np.zeros(usable.shape), where=~dead
    )
    return np.asarray(scores, dtype=np.float32)


def _block(name: str, matrix: NDArray[np.float32]) -> Block:
    finite = np.isfinite(matrix)
    usable = matrix[finite.all(axis=1)]
    if not len(usable):
        usable = np.zeros((1, matrix.shape[1]), dtype=np.float32)
    mean = usable.mean(axis=0, dtype=np.float64)
    deviation = usable.std(axis=0, dtype=np.float64)
    return Block(
        name=name,
        n_nonfinite=int(matrix.size - np.count_nonzero(finite)),
        means=mean.tolist(),
        deviations=deviation.tolist(),
        zero_shares=(usable == 0).mean(axis=0).tolist(),
        flat=np.flatnonzero(is_flat(mean, deviation)).tolist(),
    )


def _batch(blocks: Blocks, extracted_at: NDArray[np.datetime64]) -> Batch | None:
    newest = newest_batch(extracted_at)
    if newest is None:
        return None
    since: datetime = extracted_at[newest].min().astype("datetime64[us]").item()
    return Batch(
        since=since.replace(tzinfo=UTC),
        n_newest=int(newest.sum()),
        n_rest=int((~newest).sum()),
        shifts=list(block_shifts(blocks, newest)),
    )


def _recordings(track_ids: Sequence[str], numbers: NDArray[np.intp]) -> list[list[str]]:
    """Return the tracks of each recording that has several."""
    is_shared = np.bincount(numbers)[numbers] > 1
    members: dict[int, list[str]] = {
        int(number): [] for number in np.unique(numbers[is_shared])
    }
    for row in np.flatnonzero(is_shared).tolist():
        members[int(numbers[row])].append(track_ids[row])
    return list(members.values())

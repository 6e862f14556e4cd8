"""A model of the tracks of a small index, by hand."""

import numpy as np

from models.learned import Learned, learned_for
from segue.track_index import TrackIndex
from segue.trained_model import Neighbours, TrainedModel, create_model

N_KNOWN = 30


def create_trained(
    index: TrackIndex,
    collaborative: float = 0.3,
    neighbours: float = 0.2,
    followers: float = 0.1,
    n_known: int = N_KNOWN,
    seed: int = 4,
) -> TrainedModel:
    """Return a model of the first tracks of an index and of one that it lacks."""
    rng = np.random.default_rng(seed)
    track_ids = [*index.track_ids[:n_known], "zz-gone"]
    blend = {
        "collaborative": collaborative,
        "neighbours": neighbours,
        "followers": followers,
    }

    def table() -> Neighbours:
        near = np.stack([rng.permutation(n_known + 1)[:5] for _ in track_ids])
        likeness = -np.sort(-rng.uniform(0.1, 1, near.shape), axis=1)
        return Neighbours(near.astype(np.int32), likeness.astype(np.float32))

    return create_model(
        track_ids,
        rng.normal(size=(len(track_ids), 4)).astype(np.float32),
        table(),
        table(),
        {"settings": {"confidence": 5.0, "regularization": 0.1}, "blend": blend},
    )


def create_learned(
    index: TrackIndex,
    collaborative: float = 0.3,
    neighbours: float = 0.2,
    followers: float = 0.1,
) -> Learned:
    """Return such a model in the rows of the index."""
    trained = create_trained(index, collaborative, neighbours, followers)
    return learned_for(trained, index)


def nobody(trained: TrainedModel) -> Neighbours:
    """Return a table in which no track has a neighbour."""
    rows, likeness = trained.neighbours
    return Neighbours(np.full_like(rows, -1), np.zeros_like(likeness))

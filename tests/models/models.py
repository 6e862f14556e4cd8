"""A model of the tracks of a small index, by hand."""

import numpy as np

from models.learned import Learned, learned_for
from segue.track_index import TrackIndex
from segue.trained_model import TrainedModel, create_model

N_KNOWN = 30


def create_trained(
    index: TrackIndex,
    collaborative: float = 0.3,
    neighbours: float = 0.2,
    n_known: int = N_KNOWN,
    seed: int = 4,
) -> TrainedModel:
    """Return a model of the first tracks of an index and of one that it lacks."""
    rng = np.random.default_rng(seed)
    track_ids = [*index.track_ids[:n_known], "zz-gone"]
    near = np.stack([rng.permutation(n_known + 1)[:5] for _ in track_ids])
    likeness = -np.sort(-rng.uniform(0.1, 1, near.shape), axis=1)
    return create_model(
        track_ids,
        rng.normal(size=(len(track_ids), 4)).astype(np.float32),
        near.astype(np.int32),
        likeness.astype(np.float32),
        {
            "settings": {"confidence": 5.0, "regularization": 0.1},
            "blend": {"collaborative": collaborative, "neighbours": neighbours},
        },
    )


def create_learned(
    index: TrackIndex, collaborative: float = 0.3, neighbours: float = 0.2
) -> Learned:
    """Return such a model in the rows of the index."""
    return learned_for(create_trained(index, collaborative, neighbours), index)

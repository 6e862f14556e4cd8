"""A taste as the fields of a document, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.taste import Side, Taste


def taste_document(taste: Taste, n_listens: int) -> dict[str, Any]:
    """Return the fields of a taste, wherever it is stored."""
    return {
        "vector": taste.positive.mean.tolist(),
        "weight": taste.positive.weight,
        "negative_vector": taste.negative.mean.tolist(),
        "negative_weight": taste.negative.weight,
        "n_listens": n_listens,
    }


def taste_in(document: Mapping[str, Any]) -> Taste:
    """Return the taste that such fields hold."""
    return Taste(
        Side(np.array(document["vector"]), document["weight"]),
        Side(np.array(document["negative_vector"]), document["negative_weight"]),
    )

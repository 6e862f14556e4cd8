"""HTML attributes whose names have a dash, which Python cannot write as keywords."""

from typing import Any


def marks(**values: str) -> dict[str, Any]:
    """Return attributes for a component of `dash.html`.

    Examples
    --------
    >>> marks(data_track_id="t1", aria_label="Play")
    {'data-track-id': 't1', 'aria-label': 'Play'}
    """
    return {name.replace("_", "-"): value for name, value in values.items()}

"""Reports on an audio space that tests make up."""

from datetime import datetime, timedelta

from segue.store import Document


def report_document(version: str, made_at: datetime, louder: float = 0.0) -> Document:
    """Return a report on 200 tracks, two of them the same recording.

    Parameters
    ----------
    louder : float
        How far the first dimension of loudness lies from its usual mean, in
        deviations.
    """
    timbre = {
        "name": "timbre",
        "n_nonfinite": 0,
        "means": [-100.0, 20.0, 5.0],
        "deviations": [30.0, 10.0, 0.0],
        "zero_shares": [0.0, 0.0, 0.25],
        "flat": [2],
    }
    loudness = {
        "name": "loudness",
        "n_nonfinite": 1,
        "means": [-20.0 + 4.0 * louder, 6.0],
        "deviations": [4.0, 2.0],
        "zero_shares": [0.0, 0.0],
        "flat": [],
    }
    return {
        "_id": version,
        "made_at": made_at,
        "spec": "spec1",
        "n_tracks": 200,
        "n_dims": 5,
        "space": {
            **{"fitted_at": made_at - timedelta(days=1), "n_fitted": 150},
            **{"n_placed": 50, "n_axes": 3},
        },
        "hubs": {
            "n_sampled": 200,
            "k": 10,
            "ways": [
                _way("Taste space, cosine", 2.5, 0.2, [40, 30, 30, 40, 60]),
                _way("Taste space with hub scales", 0.8, 0.01, [2, 38, 60, 60, 40]),
            ],
        },
        "blocks": [timbre, loudness],
        "twins": {
            "n": 1,
            "first": [{"name": "loudness[1]", "earlier": "timbre[1]", "r": -0.9995}],
        },
        "batch": {
            **{"since": made_at, "n_newest": 50, "n_rest": 150},
            "shifts": [("loudness", 0.6), ("timbre", 0.05)],
        },
        "recordings": {
            **{"n_groups": 1, "n_members": 2, "sizes": [1, *[0] * 8]},
            "largest": [{"n": 2, "first": ["t1", "t2"]}],
        },
        "copies": {
            **{"n_groups": 1, "n_members": 3, "sizes": [0, 1, *[0] * 7]},
            "largest": [{"n": 3, "first": ["A/1.ogg", "B/1.ogg", "C/<b>1</b>.ogg"]}],
        },
        "failures": {
            "n_files": 2,
            "reasons": [
                {"stage": s, "error_class": c, "n_files": 1, "n_retry": n}
                for s, c, n in (("decode", "NoBackendError", 0), ("time", "Slow", 1))
            ],
            "newest": [
                {
                    **{"path": "A/<i>broken</i>.mp3", "stage": "decode"},
                    **{"error_class": "NoBackendError", "message": "=nothing reads it"},
                    **{"failed_at": made_at, "retry": False},
                },
                {
                    **{"path": "A/long.flac", "stage": "time", "error_class": "Slow"},
                    **{"message": "it took 60 s", "failed_at": made_at, "retry": True},
                },
            ],
        },
    }


def _way(way: str, skew: float, orphan_share: float, counts: list[int]) -> Document:
    return {
        **{"way": way, "skew": skew, "orphan_share": orphan_share},
        **{"top_share": 0.05, "counts": [*counts, *[0] * (18 - len(counts))]},
    }

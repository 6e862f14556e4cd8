"""Audio → feature vectors → taste space.

`extract_mfcc` and `extract_mfcc_udf` are loaded when first used, so that a reader of
the feature table needs neither librosa nor Spark.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from features.mfcc import extract_mfcc
    from features.udf import extract_mfcc_udf

__all__ = ["extract_mfcc", "extract_mfcc_udf"]

_HOMES = {"extract_mfcc": "features.mfcc", "extract_mfcc_udf": "features.udf"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

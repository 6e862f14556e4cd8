"""`extract_mfcc` as a Spark function of a column of paths."""

import logging
from typing import Final

from pyspark.sql.functions import udf
from pyspark.sql.types import ArrayType, FloatType

from features.mfcc import extract_mfcc

_log: Final = logging.getLogger(__name__)


def _mfcc_or_null(path: str | None) -> list[float] | None:
    if path is None:
        return None
    try:
        return extract_mfcc(path)
    except Exception as error:  # the boundary: one bad file must not end the job
        _log.warning("%s: %s", type(error).__name__, error)
        return None


# the lambda has no type hints, from which Spark would choose another kind of function
extract_mfcc_udf = udf(
    lambda path: _mfcc_or_null(path),  # noqa: PLW0108
    ArrayType(FloatType()),
)
"""Column of paths → column of `array<float>`; null, and a warning in the worker's
log, for a file that cannot be read."""

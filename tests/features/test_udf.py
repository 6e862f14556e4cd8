from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from features import extract_mfcc, extract_mfcc_udf
from tests.features.sounds import write_sound

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_udf_gives_vectors_and_null_for_a_bad_file(
    spark: "SparkSession", tmp_path: Path
) -> None:
    good = str(write_sound(tmp_path / "good.ogg"))
    bad = tmp_path / "bad.mp3"
    bad.write_text("this is no music")
    paths = spark.createDataFrame([(good,), (str(bad),), (None,)], "path string")
    vectors = paths.select("path", extract_mfcc_udf("path").alias("mfcc"))
    assert vectors.schema["mfcc"].dataType.simpleString() == "array<float>"
    rows = {row.path: row.mfcc for row in vectors.collect()}
    np.testing.assert_allclose(rows[good], extract_mfcc(good), rtol=1e-5)
    assert rows[str(bad)] is None
    assert rows[None] is None

"""How many different listeners: HyperLogLog sketches, which can be united.

Those of Apache DataSketches, with 4096 registers: the standard error of a union is
1.04 / sqrt(4096), 1.6 %. A few listeners take four bytes each, many about 2 KB.
"""

from collections.abc import Iterable
from typing import Final

from datasketches import hll_sketch, hll_union, tgt_hll_type

_LG_K: Final = 12
STANDARD_ERROR: Final = 1.04 / (1 << _LG_K) ** 0.5
"""Of the number of listeners that a sketch tells, as a share of it."""


def sketch_of(listeners: Iterable[str]) -> bytes:
    """Return a sketch of some listeners."""
    sketch = hll_sketch(_LG_K, tgt_hll_type.HLL_4)
    for listener in listeners:
        sketch.update(listener)
    return bytes(sketch.serialize_compact())


def union_of(sketches: Iterable[bytes]) -> bytes:
    """Return the sketch of all listeners of several sketches."""
    return bytes(_union(sketches).get_result(tgt_hll_type.HLL_4).serialize_compact())


def n_listeners(sketches: Iterable[bytes]) -> int:
    """Return about how many listeners several sketches have together."""
    return int(_union(sketches).get_estimate() + 0.5)


def _union(sketches: Iterable[bytes]) -> hll_union:
    union = hll_union(_LG_K)
    for sketch in sketches:
        union.update(hll_sketch.deserialize(sketch))
    return union

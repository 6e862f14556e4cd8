"""Lists that follow a jump of taste, and a taste of always that remembers."""

import numpy as np

from benches.following import follow
from benches.stack import create_bench_index
from segue.settings import Settings


def test_lists_follow_a_jump_within_five_listens() -> None:
    rng = np.random.default_rng(1)
    index = create_bench_index(2_000, rng, 40)
    seen = follow(index, 12, 2, Settings(), rng)
    before, *after = seen["precision"]
    assert before < 0.4
    assert max(after[:5]) > 0.7
    assert seen["share_of_listeners_within_5"] > 0.8
    # the taste of now has turned, that of always has not
    assert seen["now_new"] > seen["always_new"]
    assert seen["always_old"] > seen["always_new"]

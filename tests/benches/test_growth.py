"""The plot of growth."""

import re

from benches.stream_growth import growth_plot


def test_each_line_has_a_point_for_each_size_within_the_page() -> None:
    """The size that both lines share is measured twice."""
    points = [
        *[(size, 10_000, 1.5) for size in (1_000, 10_000, 100_000, 1_000_000)],
        *[(1_000, size, 2.5) for size in (1_000, 10_000, 100_000)],
    ]
    page = growth_plot(
        [
            {"listeners": listeners, "tracks": tracks, "ms_per_event": ms}
            for listeners, tracks, ms in points
        ]
    )
    lines = re.findall(r'polyline points="([^"]*)"', page)
    assert [len(line.split()) for line in lines] == [4, 3]
    for line in lines:
        places = [tuple(map(float, each.split(","))) for each in line.split()]
        assert [x for x, _ in places] == sorted({x for x, _ in places})
        assert all(0 <= x <= 760 and 0 <= y <= 460 for x, y in places)
        assert len({y for _, y in places}) == 1
    assert "1,000,000" in page

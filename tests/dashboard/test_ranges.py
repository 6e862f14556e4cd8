import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.ranges import ByteRange, UnsatisfiableRangeError, parse_range


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-99", ByteRange(0, 99)),
        ("bytes=900-", ByteRange(900, 999)),
        ("bytes=-50", ByteRange(950, 999)),
        ("bytes=-5000", ByteRange(0, 999)),
        ("bytes=990-2000", ByteRange(990, 999)),
        (None, None),
        ("bytes=-", None),
        ("bytes=9-3", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=x-y", None),
        ("bytes=²-3", None),
    ],
)
def test_a_header_means(header: str | None, wanted: ByteRange | None) -> None:
    assert parse_range(header, 1000) == wanted


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=5000-6000", "bytes=-0"])
def test_bytes_behind_the_end_cannot_be_had(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_range(header, 1000)


def test_an_empty_file_has_no_bytes() -> None:
    with pytest.raises(UnsatisfiableRangeError):
        parse_range("bytes=0-", 0)


@given(st.text(max_size=40), st.integers(min_value=1, max_value=10**6))
def test_any_text_gives_a_range_within_the_file_or_none(text: str, size: int) -> None:
    try:
        part = parse_range(f"bytes={text}", size)
    except UnsatisfiableRangeError:
        return
    if part is not None:
        assert 0 <= part.first <= part.last < size

"""Addresses as questions, and back."""

from datetime import UTC, datetime

import pytest

from dashboard.analytics.questions import MOST_CHARS, corrected, parse
from dashboard.refusals import RefusedError

NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)


def test_an_address_is_read_and_written_the_same() -> None:
    query = "range=7d&surface=a%26b%3D&sort=plays"
    question = parse(query, "24h", NOW)
    assert question.get("surface") == "a&b="
    assert question.href("/analytics") == f"/analytics?{query}"
    assert question.href("/analytics", range="", sort="", surface="") == "/analytics"


def test_what_nobody_asks_for_is_passed_over() -> None:
    question = parse("range=1h&%00=1&evil=%3Cscript%3E&style=%00s&=&&", "24h", NOW)
    assert question.told == {"range": "1h", "style": "s"}


@pytest.mark.parametrize("query", ["x" * (MOST_CHARS + 1), "a=1&" * 60])
def test_an_address_that_no_page_makes_is_a_sentence(query: str) -> None:
    with pytest.raises(RefusedError, match="too long"):
        parse(query, "24h", NOW)
    assert corrected(query, "24h", NOW).told == {}


def test_of_a_wrong_time_the_other_things_stay() -> None:
    question = corrected("range=x&style=s1", "24h", NOW)
    assert question.get("style") == "s1"
    assert question.wish.end == NOW


def test_a_filter_that_cannot_be_applied_is_refused() -> None:
    question = parse("style=dub&sort=plays&zone=UTC", "24h", NOW)
    question.check_filters({"style", "artist"})
    with pytest.raises(RefusedError, match="cannot be chosen by style"):
        question.check_filters({"surface"})
    parse("style=&range=1h", "24h", NOW).check_filters(())

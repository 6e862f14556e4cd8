import pytest

from dashboard.theme import COLOURS, TEXT_PAIRS, contrast

WCAG_AA_TEXT = 4.5


@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_is_readable_on_its_ground(ink: str, ground: str) -> None:
    assert contrast(COLOURS[ink], COLOURS[ground]) >= WCAG_AA_TEXT


def test_contrast_is_that_of_the_published_example() -> None:
    # WebAIM's contrast checker gives 4.48 for #777777 on white
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)

import re
from pathlib import Path

import pytest

import dashboard
from dashboard.theme import (
    FIGURE_COLOURS,
    GRAPHIC_PAIRS,
    MANY_COLOURS,
    MAP_GREY,
    MAP_HEAT,
    PHASES,
    TEXT_PAIRS,
    THEMES,
    contrast,
)

WCAG_AA_TEXT = 4.5
WCAG_AA_GRAPHIC = 3.0
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3,4}){1,2}\b(?![\w-])")
_RULE = re.compile(r"{([^{}]*)}")
# black and white over and behind a cover, whatever the theme
_ON_COVERS = {"#fff", "#000"}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_is_readable_on_its_ground(ink: str, ground: str, theme: str) -> None:
    colours = THEMES[theme]
    assert contrast(colours[ink], colours[ground]) >= WCAG_AA_TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), GRAPHIC_PAIRS)
def test_what_is_not_text_is_seen_on_its_ground(
    ink: str, ground: str, theme: str
) -> None:
    colours = THEMES[theme]
    assert contrast(colours[ink], colours[ground]) >= WCAG_AA_GRAPHIC


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    "colour", [*FIGURE_COLOURS.values(), *PHASES, *MANY_COLOURS, *MAP_HEAT, MAP_GREY]
)
def test_figures_are_seen_in_both_themes(colour: str, theme: str) -> None:
    assert contrast(colour, THEMES[theme]["surface"]) >= WCAG_AA_GRAPHIC


def test_both_themes_have_the_same_names() -> None:
    assert THEMES["dark"].keys() == THEMES["light"].keys()


def test_style_sheets_have_no_colours_of_their_own() -> None:
    sheets = list((Path(dashboard.__file__).parent / "assets").glob("*.css"))
    assert len(sheets) > 5
    found = {
        f"{sheet.name}: {colour}"
        for sheet in sheets
        for rule in _RULE.findall(re.sub(r"url\(.*?\)", "", sheet.read_text()))
        for colour in _COLOUR.findall(rule)
        if colour not in _ON_COVERS
    }
    assert found == set()


def test_contrast_is_that_of_the_published_example() -> None:
    # WebAIM's contrast checker gives 4.48 for #777777 on white
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)

"""The rankers of a replay: how each makes lists, and what `--against` may say."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from models.learned import Blend, Learned
from segue.errors import SettingsError
from segue.setting_sections import Section
from segue.settings import LearningSettings, Settings, TasteSettings
from segue.trained_model import BLENDED, ROUNDING

_Section = TypeVar("_Section", bound=Section)
_MODEL: Final = "model"
_SHARES: Final = {f"learning.{name}_share": name for name in BLENDED}
_KNOWN: Final = (
    *(f"taste.{name}" for name in TasteSettings.model_fields),
    *_SHARES,
    _MODEL,
)


@dataclass(frozen=True)
class Ranker:
    """One way to make lists.

    Attributes
    ----------
    shares : mapping
        What takes the place of the model's own shares, by part.
    changed : mapping
        What `--against` said.
    """

    name: str
    taste: TasteSettings
    shares: Mapping[str, float]
    has_model: bool
    changed: Mapping[str, str]

    def blend_of(self, learned: Mapping[str, float]) -> Blend:
        """Return the shares with a model that has learned these.

        Raises
        ------
        SettingsError
            When they are together more than 1.
        """
        blend = Blend(**{**learned, **self.shares})
        if sum(blend) > 1 + ROUNDING:
            raise SettingsError(
                f"ranker {self.name}: the shares {blend._asdict()} are together more "
                "than 1; what --against does not say, the model has learned: say all"
            )
        return blend

    def learned_of(self, learned: Learned | None) -> Learned | None:
        """Return what of a model this ranker uses."""
        if learned is None or not self.has_model:
            return None
        return replace(learned, blend=self.blend_of(learned.blend._asdict()))


def rankers_of(settings: Settings, against: Sequence[str]) -> tuple[Ranker, ...]:
    """Return ranker a, as the settings are, and b, where `against` says anything.

    Parameters
    ----------
    against : sequence of str
        Each `KEY=VALUE`.

    Raises
    ------
    SettingsError
        For what is no setting of a ranker, or a value that it does not take.
    """
    rankers = (Ranker("a", settings.taste, {}, has_model=True, changed={}),)
    if not against:
        return rankers
    said = _said(against)
    taste = {key: value for key, value in said.items() if key.startswith("taste.")}
    shares = {key: said[key] for key in _SHARES if key in said}
    checked = _checked(LearningSettings, dict.fromkeys(_plain(_SHARES), 0.0), shares)
    return (
        *rankers,
        Ranker(
            "b",
            _checked(TasteSettings, settings.taste.model_dump(), taste),
            {_SHARES[key]: getattr(checked, _plain_of(key)) for key in shares},
            _MODEL not in said,
            said,
        ),
    )


def _said(against: Sequence[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for text in against:
        key, equals, value = (each.strip() for each in text.partition("="))
        if not equals:
            raise SettingsError(
                f"--against {text!r}: want KEY=VALUE, as in taste.variety=0"
            )
        if key not in _KNOWN:
            raise SettingsError(f"--against {key!r}: no ranker has that{_hint(key)}")
        if key in said:
            raise SettingsError(f"--against {key}: said twice, {said[key]} and {value}")
        if key == _MODEL and value != "none":
            raise SettingsError(f"--against {text!r}: want model=none")
        said[key] = value
    return said


def _hint(key: str) -> str:
    close = difflib.get_close_matches(key, _KNOWN, n=1)
    known = f"; did you mean {close[0]}?" if close else f"; want {', '.join(_KNOWN)}"
    if key.startswith("learning."):
        return f"; of [learning] there are {', '.join(_SHARES)}"
    return known


def _checked(
    section: type[_Section], base: Mapping[str, Any], said: Mapping[str, str]
) -> _Section:
    try:
        changed = {_plain_of(key): value for key, value in said.items()}
        return section.model_validate({**base, **changed})
    except ValidationError as error:
        (first, *_) = error.errors()
        got = ", ".join(f"{key}={value}" for key, value in said.items())
        if first["loc"]:
            name = str(first["loc"][0])
            got = next(f"{k}={v}" for k, v in said.items() if _plain_of(k) == name)
        raise SettingsError(f"--against {got}: {first['msg']}") from None


def _plain(keys: Mapping[str, str]) -> list[str]:
    return [_plain_of(key) for key in keys]


def _plain_of(key: str) -> str:
    return key.partition(".")[2]

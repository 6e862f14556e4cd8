from dataclasses import fields, replace
from typing import Any

import pytest

from features.spec import FeatureSpec, spec_hash


@pytest.mark.parametrize("name", [field.name for field in fields(FeatureSpec)])
def test_each_parameter_changes_the_hash(name: str) -> None:
    spec = FeatureSpec()
    value = getattr(spec, name)
    other: Any = f"{value}!" if isinstance(value, str) else value / 2
    assert spec_hash(replace(spec, **{name: other})) != spec_hash(spec)


def test_the_hash_names_a_folder_and_is_the_same_on_every_machine() -> None:
    assert spec_hash(FeatureSpec()) == "f748739f8945"

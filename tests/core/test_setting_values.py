"""The values by which tests change each setting cover all of them."""

from __future__ import annotations

from tests.setting_values import GROUPS, NOT_OF_ENGINES, VALUES, config_of


def test_every_setting_has_a_value_other_than_its_default():
    paths = {f"{group}.{name}" for group, kind in GROUPS.items() for name in kind.model_fields}
    missing = paths - NOT_OF_ENGINES - VALUES.keys()
    assert not missing, f"tests/setting_values.py: add a value of {missing}"
    for path, value in VALUES.items():
        assert config_of({path: value}) != config_of({}), path

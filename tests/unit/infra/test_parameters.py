"""The parameters of infra: each one says what it is, and each one of main.bicep can be set from the environment."""

import re

import pytest

from importcore.settings.model import Settings
from tests.unit.infra.bicep_text import INFRA, bicep_files, parameters, text

_BINDINGS = (INFRA / "main.bicepparam").read_text()
_MADE_BY_THE_DEPLOYMENT = {"firstSealingKey", "firstCallbackKey"}


@pytest.mark.parametrize("path", bicep_files())
def test_every_parameter_and_output_is_described(path: str) -> None:
    """Whoever reads only the descriptions knows what to give."""
    assert [name for name, description in parameters(path).items() if not description] == []
    outputs = re.findall(r"^(.*)\noutput (\w+)", text(path), re.MULTILINE)
    assert [name for above, name in outputs if not above.startswith("@description('")] == []


def test_every_parameter_is_bound_to_a_variable() -> None:
    """`azd env set` reaches every parameter of main.bicep; add a new one to infra/main.bicepparam."""
    bound = set(re.findall(r"^param (\w+) = .*readEnvironmentVariable\(", _BINDINGS, re.MULTILINE))
    assert bound == set(parameters("main.bicep")) - _MADE_BY_THE_DEPLOYMENT


def test_a_default_is_the_same_in_both_files() -> None:
    """Where a variable is missing, the value is the one that main.bicep names."""
    simple = re.findall(
        r"^param (\w+) = (?:int|bool)?\(?readEnvironmentVariable\('[A-Z_]+', '([^']*)'\)", _BINDINGS, re.MULTILINE
    )
    defaults = dict(re.findall(r"^param (\w+) \w+ = '?([^'\n]*)'?$", text("main.bicep"), re.MULTILINE))
    assert simple
    assert {name: value for name, value in simple if defaults[name] != value} == {}


def test_the_first_keys_are_such_that_the_app_accepts() -> None:
    """For sealing and callbacks. Two GUIDs without dashes give 42 characters of base64, and `A=` completes 32 bytes."""
    default = "'k1:${substring(replace('${newGuid()}${newGuid()}', '-', ''), 0, 42)}A='"
    assert text("main.bicep").count(default) == 2
    guids = "9f0e1d2c-3b4a-4958-8776-65544332211001234567-89ab-4cde-8f01-23456789abcd"
    key = f"k1:{guids.replace('-', '')[:42]}A="
    given = {"AzureWebJobsStorage": "x", "TRANSLOAD_SEALING_KEYS": key, "TRANSLOAD_CALLBACK_KEYS": key}
    settings = Settings.from_environment(given)
    [(key_id, value)] = settings.sealing_keys
    assert (key_id, len(value)) == ("k1", 32)
    assert settings.notices.callback_keys == settings.sealing_keys

"""The setting TRANSLOAD_HOOKS: read whole, or named where it is wrong, and never shown."""

import base64
import json

import pytest

from importcore.errors import ConfigurationError
from importcore.settings.model import Settings
from importcore.settings.values import HookSettings

KEY = base64.b64encode(b"\x01" * 32).decode()
LEAST = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "TRANSLOAD_SEALING_KEYS": f"k1:{KEY}"}


def read(hooks: object) -> Settings:
    """Read the least that an installation needs, with this setting."""
    return Settings.from_environment(
        {**LEAST, "TRANSLOAD_HOOKS": hooks if isinstance(hooks, str) else json.dumps(hooks)}
    )


def test_hooks_are_found_by_kind_and_name() -> None:
    """Their registries in normal form."""
    hooks = read(
        {
            "github": {"secrets": ["hunter2"]},
            "harbor/team-1": {"secrets": ["a", "b"], "header": "X-Door", "signed": True, "registry": "Hub.Example:443"},
        }
    ).hooks

    assert hooks["github"] == HookSettings.model_validate({"secrets": ["hunter2"]})
    team = hooks["harbor/team-1"]
    assert (team.secrets, team.header, team.signed, team.registry) == (("a", "b"), "X-Door", True, "hub.example")


def test_settings_never_print_a_secret() -> None:
    """Not even to a debugger."""
    assert "hunter2" not in repr(read({"github": {"secrets": ["hunter2"]}}).hooks)


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        ("{", "JSON"),
        ([], "object"),
        ({"github": {"secret": "hunter2"}}, "github.secret"),
        ({"github": {"secrets": "hunter2"}}, "github.secrets"),
        ({"github": {"secrets": [""]}}, "github.secrets.0"),
        ({"github": {"secrets": ["@Microsoft.KeyVault(SecretUri=https://vault.example/hunter2)"]}}, "Key Vault"),
        ({"github": {"header": "X Door"}}, "github.header"),
        ({"github": {"signed": True}}, "that needs secrets"),
        ({"github": {"header": "X-Door", "secrets": []}}, "that needs secrets"),
        ({"github": {"registry": "no host"}}, "github.registry"),
        ({"GitHub": {}}, "'GitHub': must be a kind"),
        ({"harbor/": {}}, "'harbor/': must be a kind"),
        ({"harbor/a/b": {}}, "'harbor/a/b': must be a kind"),
    ],
)
def test_a_wrong_setting_is_named_and_not_repeated(hooks: object, words: str) -> None:
    """As every setting is."""
    with pytest.raises(ConfigurationError) as caught:
        read(hooks)

    assert caught.value.message.startswith("TRANSLOAD_HOOKS:")
    assert words in caught.value.message
    assert "hunter2" not in caught.value.message

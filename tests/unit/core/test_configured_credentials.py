"""The setting TRANSLOAD_CREDENTIALS, and what else can be said about a host: read whole, or named where it is wrong."""

import base64
import json
from typing import Any

import pytest

from importcore.errors import ConfigurationError
from importcore.settings.model import Settings

KEY = base64.b64encode(b"\x01" * 32).decode()
LEAST = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "TRANSLOAD_SEALING_KEYS": f"k1:{KEY}"}
HUB = {"registry": "index.docker.io", "username": "robot", "password": "hunter2"}
VAULT = "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/hidden)"


def read(**more: Any) -> Settings:  # noqa: ANN401 (JSON of a setting)
    """Read the least that an installation needs, with some settings more; what is no text is written as JSON."""
    return Settings.from_environment(
        {**LEAST, **{name: value if isinstance(value, str) else json.dumps(value) for name, value in more.items()}}
    )


def refusal(**more: Any) -> str:  # noqa: ANN401 (JSON of a setting)
    """The message for settings that must be refused."""
    with pytest.raises(ConfigurationError) as caught:
        read(**more)
    return caught.value.message


def test_credentials_are_found_by_their_registry() -> None:
    """In its normal form, however it is spelled in the setting."""
    settings = read(TRANSLOAD_CREDENTIALS={"hub": HUB, "own": {**HUB, "registry": "Registry.example:5000"}})

    assert settings.credentials_for("docker.io") == ("hub",)
    assert settings.credentials_for("registry.example:5000") == ("own",)
    assert settings.credentials_for("registry.example") == ()
    assert (settings.credentials["hub"].username, settings.credentials["hub"].password) == ("robot", "hunter2")


def test_settings_never_print_a_secret() -> None:
    """Not even to a debugger: no password, key, connection string, and no URL that carries a token."""
    key = base64.b64encode(b"hunter2-" * 4).decode()
    settings = read(
        AzureWebJobsStorage="DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2",
        TRANSLOAD_SEALING_KEYS=f"k1:{key}",
        TRANSLOAD_CREDENTIALS={"hub": HUB},
        TRANSLOAD_CALLBACK_KEYS=f"k1:{key}",
        TRANSLOAD_EVENTS_ENDPOINT="https://topic.example/api/events?token=hunter2",
        TRANSLOAD_HOOKS={"acr": {"secrets": ["hunter2-hunter2-hunter2"]}},
    )

    assert settings.hooks
    assert settings.notices.events_endpoint
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{", "JSON"),
        ([HUB], "object"),
        ({"hub": {**HUB, "password": VAULT}}, "hub.password: is a Key Vault reference"),
        ({"hub": {**HUB, "username": VAULT}}, "hub.username: is a Key Vault reference"),
        ({"hub": {**HUB, "registry": "not a host"}}, "hub.registry: 'not a host' is not a registry address"),
        ({"hub": {**HUB, "password": ""}}, "hub.password"),
        ({"hub": {**HUB, "password": 5}}, "hub.password"),
        ({"hub": {**HUB, "token": "hunter2"}}, "hub.token"),
        ({"hub": {"registry": "docker.io", "password": "hunter2"}}, "hub.username: Field required"),
        ({"a name": HUB}, "'a name'"),
        ({"": HUB}, "1 to 64"),
        (VAULT, "was not resolved"),
    ],
)
def test_wrong_credentials_are_named_by_their_entry_and_not_repeated(value: object, words: str) -> None:
    """The message can be shown to anybody."""
    message = refusal(TRANSLOAD_CREDENTIALS=value)

    assert message.startswith("TRANSLOAD_CREDENTIALS:")
    assert words in message
    assert "hunter2" not in message
    assert "hidden" not in message


def test_a_target_with_two_credentials_is_refused() -> None:
    """No request could say which one is meant; at an ACR of the app's cloud the identity is."""
    two = {"one": {**HUB, "registry": "registry.example"}, "two": {**HUB, "registry": "registry.example"}}
    message = refusal(TRANSLOAD_DEFAULT_TARGET_REGISTRY="registry.example", TRANSLOAD_CREDENTIALS=two)
    assert "one, two" in message

    of_acr = {name: {**value, "registry": "here.azurecr.io"} for name, value in two.items()}
    settings = read(TRANSLOAD_DEFAULT_TARGET_REGISTRY="here.azurecr.io", TRANSLOAD_CREDENTIALS=of_acr)
    assert settings.credentials_for("here.azurecr.io") == ("one", "two")


def test_what_is_special_about_a_host_is_read() -> None:
    """Files, mirrors in their order and normal form, paces and limits."""
    host = {
        "clientCertFile": "/client.pem",
        "clientKeyFile": "/client.key",
        "mirrors": ["Mirror.example", "index.docker.io"],
        "requestsPerSecond": 0.5,
        "bytesPerSecond": 65_536,
        "parallelTransfers": 2,
    }

    rules = read(TRANSLOAD_REGISTRIES={"registry.example": host}).host("registry.example")

    assert (rules.client_cert_file, rules.client_key_file) == ("/client.pem", "/client.key")
    assert rules.mirrors == ("mirror.example", "docker.io")
    assert (rules.requests_per_second, rules.bytes_per_second, rules.parallel_transfers) == (0.5, 65_536, 2)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ({"clientKeyFile": "/client.key"}, "h.example: clientKeyFile needs a clientCertFile"),
        ({"mirrors": ["not a host"]}, "h.example.mirrors.0: 'not a host' is not a registry address"),
        ({"mirrors": ["H.example"]}, "h.example.mirrors: names the registry itself"),
        ({"requestsPerSecond": 0}, "h.example.requestsPerSecond"),
        ({"bytesPerSecond": 65_535}, "h.example.bytesPerSecond"),
        ({"parallelTransfers": 0}, "h.example.parallelTransfers"),
        ({"parallelTransfers": 1.5}, "h.example.parallelTransfers"),
    ],
)
def test_what_is_wrong_about_a_host_is_named(host: dict[str, object], words: str) -> None:
    """By its place in the JSON."""
    assert words in refusal(TRANSLOAD_REGISTRIES={"h.example": host})

"""The app settings: every one of them, and every wrong one named at once."""

import base64
import json
from collections.abc import Mapping

import pytest

from importcore.errors import ConfigurationError
from importcore.reference import DOCKER_HUB, api_host
from importcore.settings.model import MEBIBYTE, HostSettings, Settings, StorageAccount

KEY = base64.b64encode(b"\x01" * 32).decode()
OTHER_KEY = base64.b64encode(b"\x02" * 32).decode()
LEAST = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "TRANSLOAD_SEALING_KEYS": f"k1:{KEY}"}


def read(**more: str) -> Settings:
    """Read the least that an installation needs, with some settings more."""
    return Settings.from_environment({**LEAST, **more})


def refusal(environment: Mapping[str, str]) -> str:
    """The message for settings that must be refused."""
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_environment(environment)
    return caught.value.message


def test_two_settings_are_enough() -> None:
    """Everything else has a default that fits the Functions host's own limits."""
    settings = read()

    assert settings.storage == StorageAccount(connection_string="UseDevelopmentStorage=true")
    assert settings.sealing_keys == (("k1", b"\x01" * 32),)
    assert (settings.slice_seconds, settings.lease_seconds) == (540, 60)
    assert (settings.chunk_bytes, settings.parallel_transfers) == (32 * MEBIBYTE, 6)
    assert settings.allowed_targets == ()
    assert settings.client_id is None
    assert settings.identity_endpoints == ()
    assert settings.use_developer_identity is False


def test_every_setting_is_read() -> None:
    """Numbers, flags, lists, registries in their normal form."""
    settings = read(
        TRANSLOAD_DEFAULT_TARGET_REGISTRY="https://Here.azurecr.io/",
        TRANSLOAD_TARGET_REGISTRIES="here.azurecr.io, There.azurecr.io,,",
        TRANSLOAD_SLICE_SECONDS="30",
        TRANSLOAD_LEASE_SECONDS=" 2.5 ",
        TRANSLOAD_CHUNK_BYTES="65536",
        TRANSLOAD_PARALLEL_TRANSFERS="16",
        TRANSLOAD_SEALING_KEYS=f"k2:{OTHER_KEY}, k1:{KEY}",
        TRANSLOAD_DEVELOPER_IDENTITY="True",
        AZURE_CLIENT_ID="an-identity",
        IDENTITY_ENDPOINT="http://localhost:42356/msi/token",
    )

    assert settings.default_target_registry == "here.azurecr.io"
    assert settings.allowed_targets == ("here.azurecr.io", "there.azurecr.io")
    assert (settings.slice_seconds, settings.lease_seconds) == (30, 2.5)
    assert (settings.chunk_bytes, settings.parallel_transfers) == (65536, 16)
    assert [key_id for key_id, _ in settings.sealing_keys] == ["k2", "k1"]
    assert settings.use_developer_identity is True
    assert settings.client_id == "an-identity"
    assert settings.identity_endpoints == ("localhost:42356",)


def test_the_default_registry_is_the_only_target_where_none_are_listed() -> None:
    """An installation serves its own registry and no other."""
    assert read(TRANSLOAD_DEFAULT_TARGET_REGISTRY="here.azurecr.io").allowed_targets == ("here.azurecr.io",)


def test_registries_can_be_special() -> None:
    """Each host has its own rules, under its name in normal form; any other host is ordinary."""
    rules_of = {"plainHttp": True, "private": True, "caFile": "/ca.pem", "chunkBytes": 65536, "acr": True}
    special = {"Registry.local:5000": rules_of}

    settings = read(TRANSLOAD_REGISTRIES=json.dumps(special))

    rules = settings.host("registry.local:5000")
    assert (rules.plain_http, rules.private, rules.ca_file, rules.chunk_bytes, rules.acr) == (
        True, True, "/ca.pem", 65536, True,
    )  # fmt: skip
    assert settings.host("registry.local") == HostSettings()


@pytest.mark.parametrize("named", ["docker.io", "index.docker.io", "registry-1.docker.io"])
def test_docker_hub_is_special_under_all_of_its_names(named: str) -> None:
    """It is configured by its name and spoken to at its API's host."""
    settings = read(TRANSLOAD_REGISTRIES=json.dumps({named: {"caFile": "/ca.pem"}}))

    assert settings.host(api_host(DOCKER_HUB)).ca_file == "/ca.pem"
    assert settings.host(DOCKER_HUB).ca_file == "/ca.pem"


@pytest.mark.parametrize(
    ("registry", "acr"),
    [
        ("here.azurecr.io", True),
        ("here.azurecr.cn", True),
        ("here.azurecr.us", True),
        ("azurecr.io", False),
        ("here.azurecr.io.evil.example", False),
        ("hereazurecr.io", False),
        ("emulator:5000", True),
        ("not.azurecr.io", False),
    ],
)
def test_only_acrs_own_hosts_see_the_entra_identity(registry: str, acr: bool) -> None:  # noqa: FBT001 (a column)
    """By its host name, unless the settings say otherwise for that host."""
    configured = {"emulator:5000": {"acr": True}, "not.azurecr.io": {"acr": False}}

    assert read(TRANSLOAD_REGISTRIES=json.dumps(configured)).is_acr(registry) is acr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TRANSLOAD_DEFAULT_TARGET_REGISTRY", "not a host", "not a registry address"),
        ("TRANSLOAD_TARGET_REGISTRIES", "here.azurecr.io,not a host", "not a registry address"),
        ("TRANSLOAD_REGISTRIES", "{", "JSON"),
        ("TRANSLOAD_REGISTRIES", "[]", "object"),
        ("TRANSLOAD_REGISTRIES", '{"h": {"chunkBytes": 1}}', "h.chunkBytes"),
        ("TRANSLOAD_REGISTRIES", '{"h": {"insecure": true}}', "h.insecure"),
        ("TRANSLOAD_REGISTRIES", '{"not a host": {}}', "not a registry address"),
        ("TRANSLOAD_SLICE_SECONDS", "0", "1 to 86400"),
        ("TRANSLOAD_SLICE_SECONDS", "soon", "1 to 86400"),
        ("TRANSLOAD_LEASE_SECONDS", "nan", "1 to 3600"),
        ("TRANSLOAD_LEASE_SECONDS", "inf", "1 to 3600"),
        ("TRANSLOAD_CHUNK_BYTES", "65535", "65536"),
        ("TRANSLOAD_PARALLEL_TRANSFERS", "17", "1 to 16"),
        ("TRANSLOAD_PARALLEL_TRANSFERS", "-1", "1 to 16"),
        ("TRANSLOAD_PARALLEL_TRANSFERS", "2.9", "whole number"),
        ("TRANSLOAD_DEVELOPER_IDENTITY", "yes", "true or false"),
        ("TRANSLOAD_SEALING_KEYS", "", "is missing"),
        ("TRANSLOAD_SEALING_KEYS", KEY, "id:base64"),
        ("TRANSLOAD_SEALING_KEYS", f":{KEY}", "id:base64"),
        ("TRANSLOAD_SEALING_KEYS", "k1:AAAA", "32 bytes"),
        ("TRANSLOAD_SEALING_KEYS", "k1:%%%", "id:base64"),
        ("TRANSLOAD_SEALING_KEYS", f"k.1:{KEY}", "id:base64"),
        ("TRANSLOAD_SEALING_KEYS", "k1:\u00e9", "id:base64"),
        ("TRANSLOAD_SEALING_KEYS", f"k1:{OTHER_KEY},k1:{KEY}", "two keys"),
        ("AzureWebJobsStorage", "", "connection string"),
    ],
)
def test_a_wrong_setting_is_named_and_never_replaced_by_its_default(name: str, value: str, words: str) -> None:
    """The message says which setting, and what it should be."""
    message = refusal({**LEAST, name: value})

    assert message.startswith(f"{name}:")
    assert words in message


def test_all_wrong_settings_are_named_at_once() -> None:
    """Nobody restarts the app seven times to learn seven things."""
    wrong = {
        "AzureWebJobsStorage": "",
        "TRANSLOAD_SEALING_KEYS": "k1:short",
        "TRANSLOAD_DEFAULT_TARGET_REGISTRY": "a b",
        "TRANSLOAD_TARGET_REGISTRIES": "a b",
        "TRANSLOAD_REGISTRIES": "[",
        "TRANSLOAD_SLICE_SECONDS": "x",
        "TRANSLOAD_LEASE_SECONDS": "x",
        "TRANSLOAD_CHUNK_BYTES": "x",
        "TRANSLOAD_PARALLEL_TRANSFERS": "x",
        "TRANSLOAD_DEVELOPER_IDENTITY": "x",
    }

    message = refusal(wrong)

    assert [name for name in wrong if f"{name}:" not in message] == []


def test_settings_that_are_missing_are_named_at_once_too() -> None:
    """An installation without any learns of both that it needs."""
    message = refusal({})

    assert "TRANSLOAD_SEALING_KEYS: is missing" in message
    assert "AzureWebJobsStorage: set a connection string" in message


def test_a_key_vault_reference_that_was_not_resolved_is_no_value() -> None:
    """The platform leaves the reference as text when the identity may not read the vault."""
    reference = "@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/hidden)"

    message = refusal({**LEAST, "AzureWebJobsStorage": reference, "AZURE_CLIENT_ID": reference})

    assert "AzureWebJobsStorage: its Key Vault reference was not resolved" in message
    assert "AZURE_CLIENT_ID: its Key Vault reference was not resolved" in message
    assert "hidden" not in message


def test_a_wrong_sealing_key_is_not_repeated() -> None:
    """Nearly right is still a secret."""
    nearly = base64.b64encode(b"\x01" * 31).decode()

    assert nearly not in refusal({**LEAST, "TRANSLOAD_SEALING_KEYS": f"k1:{nearly}"})


def test_storage_is_reached_by_an_identity_where_its_account_is_named() -> None:
    """The three endpoints come from the account's name, and any of them may be named itself."""
    environment = {
        "TRANSLOAD_SEALING_KEYS": f"k1:{KEY}",
        "AzureWebJobsStorage__accountName": "acc",
        "AzureWebJobsStorage__tableServiceUri": "https://acc.table.core.chinacloudapi.cn",
        "AzureWebJobsStorage__clientId": "storage-identity",
    }

    assert Settings.from_environment(environment).storage == StorageAccount(
        connection_string=None,
        queue_endpoint="https://acc.queue.core.windows.net",
        table_endpoint="https://acc.table.core.chinacloudapi.cn",
        blob_endpoint="https://acc.blob.core.windows.net",
        client_id="storage-identity",
    )


def test_storage_with_one_endpoint_missing_is_refused() -> None:
    """Two of three services are not enough, and the message lists all three."""
    message = refusal(
        {
            "TRANSLOAD_SEALING_KEYS": f"k1:{KEY}",
            "AzureWebJobsStorage__queueServiceUri": "https://q.example",
            "AzureWebJobsStorage__tableServiceUri": "https://t.example",
        }
    )

    assert "AzureWebJobsStorage__blobServiceUri" in message

"""Clouds: by name, by a registry's host; and that this app's identity stays in its own."""

import base64
import json
from collections.abc import Mapping

import pytest

from importcore.errors import ConfigurationError
from importcore.settings.clouds import CHINA, CLOUDS, PUBLIC, US_GOVERNMENT, Cloud, cloud_of_registry
from importcore.settings.model import Settings

KEY = base64.b64encode(b"\x01" * 32).decode()
LEAST = {"AzureWebJobsStorage__accountName": "acc", "TRANSLOAD_SEALING_KEYS": f"k1:{KEY}"}
CHINESE, AMERICAN = "here.azurecr.cn", "here.azurecr.us"


def read(**more: str) -> Settings:
    """Read the least that an installation needs, with some settings more."""
    return Settings.from_environment({**LEAST, **more})


@pytest.mark.parametrize(
    ("registry", "cloud"),
    [
        ("here.azurecr.io", PUBLIC),
        ("here-a1b2c3.azurecr.io", PUBLIC),
        ("here.westeurope.geo.azurecr.io", PUBLIC),
        (CHINESE, CHINA),
        (AMERICAN, US_GOVERNMENT),
        ("azurecr.io", None),
        ("hereazurecr.io", None),
        ("here.azurecr.io.evil.example", None),
        ("here.azurecr.io:444", None),
        ("ghcr.io", None),
    ],
)
def test_a_login_server_tells_its_cloud(registry: str, cloud: Cloud | None) -> None:
    """By its suffix alone."""
    assert cloud_of_registry(registry) is cloud


@pytest.mark.parametrize(
    ("settings", "cloud"),
    [
        ({}, PUBLIC),
        ({"AZURE_CLOUD": "AzureUSGovernment"}, US_GOVERNMENT),
        ({"TRANSLOAD_DEFAULT_TARGET_REGISTRY": CHINESE}, CHINA),
        ({"TRANSLOAD_TARGET_REGISTRIES": f"registry.example,{AMERICAN}"}, US_GOVERNMENT),
        ({"AZURE_CLOUD": "AzureCloud", "TRANSLOAD_DEFAULT_TARGET_REGISTRY": CHINESE}, PUBLIC),
    ],
)
def test_the_cloud_is_named_or_that_of_the_target(settings: Mapping[str, str], cloud: Cloud) -> None:
    """What is named wins; without either it is the public one."""
    assert read(**settings).cloud is cloud


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
def test_storage_and_resource_manager_are_those_of_the_cloud(cloud: Cloud) -> None:
    """An account's name alone leads to its endpoints there."""
    settings = read(AZURE_CLOUD=cloud.name)

    assert settings.storage.queue_endpoint == f"https://acc.queue.{cloud.storage_suffix}"
    assert settings.arm_endpoint == cloud.arm


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
def test_the_identity_is_shown_to_registries_of_its_cloud_alone(cloud: Cloud) -> None:
    """An ACR of another cloud is an ACR, but none that this app's identity is known at."""
    settings = read(AZURE_CLOUD=cloud.name)

    for other in CLOUDS.values():
        assert settings.is_acr(f"here{other.acr_suffix}")
        assert settings.takes_identity(f"here{other.acr_suffix}") is (other is cloud)


def test_the_settings_of_a_host_decide_over_its_name() -> None:
    """`acr` true lets the identity go there, false keeps it away."""
    hosts = json.dumps({"emulator.example": {"acr": True}, "foreign.azurecr.io": {"acr": False}})
    settings = read(TRANSLOAD_REGISTRIES=hosts)

    assert settings.takes_identity("emulator.example")
    assert not settings.takes_identity("foreign.azurecr.io")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AZURE_CLOUD", "azure", "AzureChinaCloud"),
        ("TRANSLOAD_ARM_ENDPOINT", "management.example", "must be a URL"),
        ("TRANSLOAD_ARM_ENDPOINT", "https://management.example/path", "without a path"),
        ("TRANSLOAD_ARM_ENDPOINT", "https://user@management.example", "must be a URL"),
        ("TRANSLOAD_ARM_ENDPOINT", "ftp://management.example", "must be a URL"),
        ("TRANSLOAD_ARM_ENDPOINT", "https://[", "is not a URL"),
    ],
)
def test_a_wrong_cloud_is_named(name: str, value: str, words: str) -> None:
    """With the names that there are."""
    with pytest.raises(ConfigurationError, match=name) as caught:
        read(**{name: value})
    assert words in caught.value.message

"""The composition root: what cannot be built from the settings is a wrong setting."""

import base64

import pytest

from importcore.errors import ConfigurationError
from importcore.wiring import build

LEAST = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "TRANSLOAD_SEALING_KEYS": "k1:" + base64.b64encode(b"\x01" * 32).decode(),
}


@pytest.mark.parametrize("text", ["garbage", "AccountName=a", "DefaultEndpointsProtocol=https;AccountKey=hunter2"])
async def test_a_malformed_connection_string_is_a_wrong_setting(text: str) -> None:
    """The error names the setting, and repeats nothing of it: it holds a key."""
    with pytest.raises(ConfigurationError, match="AzureWebJobsStorage") as caught:
        build({**LEAST, "AzureWebJobsStorage": text})

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_the_least_settings_are_enough_to_build_everything() -> None:
    """Nothing is asked of the network before the first import."""
    services = build(LEAST)

    assert services.settings.storage.connection_string == LEAST["AzureWebJobsStorage"]
    await services.aclose()

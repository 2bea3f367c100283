"""The app settings: what infra sets, what the code reads and what docs/settings.md describes are the same."""

import re
from collections.abc import Iterator, Mapping

from importcore.settings.model import Settings
from tests.unit.infra.bicep_text import ROOT, keys

_FILE = "app/app_settings.bicep"
_SET_FOR_FLEX = keys(_FILE, "storageSettings") | keys(_FILE, "platformSettings") | keys(_FILE, "transloadSettings")
_SET = _SET_FOR_FLEX | keys(_FILE, "dedicatedSettings")

_READ_BY_THE_PLATFORM = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "the host: telemetry by identity",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "the host: where telemetry goes",
    "AzureWebJobsStorage__credential": "the host: its queue listeners sign in by identity",
    "ENABLE_ORYX_BUILD": "Kudu, on a dedicated plan: installs requirements.txt",
    "FUNCTIONS_EXTENSION_VERSION": "a dedicated plan: which host",
    "FUNCTIONS_WORKER_RUNTIME": "a dedicated plan: which worker",
    "SCM_DO_BUILD_DURING_DEPLOYMENT": "Kudu, on a dedicated plan",
}
_GIVEN_BY_THE_PLATFORM = {
    "AZURE_POD_IDENTITY_AUTHORITY_HOST": "an identity endpoint elsewhere, where no import may go",
    "IDENTITY_ENDPOINT": "the identity's endpoint",
    "IMDS_ENDPOINT": "an identity endpoint elsewhere, where no import may go",
    "MSI_ENDPOINT": "an identity endpoint elsewhere, where no import may go",
    "WEBSITE_AUTH_ENABLED": "App Service authentication is on",
    "WEBSITE_HOSTNAME": "the app's own host name",
    "WEBSITE_INSTANCE_ID": "which instance this is",
}
_REFUSED_ON_FLEX_CONSUMPTION = {
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_RUN_FROM_PACKAGE",
}


class _Recording(Mapping[str, str]):
    """An environment that notes which settings it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _read() -> set[str]:
    """Name every setting that the code asks for: seen while it reads them, and found in its text."""
    environment = _Recording(
        {
            "AzureWebJobsStorage__accountName": "transload",
            "TRANSLOAD_SEALING_KEYS": "k1:" + "A" * 43 + "=",
        }
    )
    Settings.from_environment(environment)
    sources = [ROOT / "function_app.py", *(ROOT / "importcore").rglob("*.py")]
    written = {
        name for path in sources for name in re.findall(r'"(TRANSLOAD_[A-Z_]+|WEBSITE_[A-Z_]+)"', path.read_text())
    }
    return environment.asked | written


READ = _read()
_DOCUMENT = (ROOT / "docs/settings.md").read_text()


def test_every_setting_that_the_code_reads_is_described() -> None:
    """Add a row to docs/settings.md for each setting named here; the platform's own need none."""
    named = {name for name in READ if not name.startswith("AzureWebJobsStorage__")} - set(_GIVEN_BY_THE_PLATFORM)
    assert {name for name in named if f"`{name}`" not in _DOCUMENT} == set()


def test_every_setting_that_infra_sets_is_read() -> None:
    """What nobody reads is a mistake: correct its name in infra/app/app_settings.bicep, or remove it."""
    assert set(_READ_BY_THE_PLATFORM) == _SET - READ


def test_every_required_setting_is_set_by_infra() -> None:
    """What has no default comes from infra; a setting that docs/settings.md calls required belongs there."""
    required = set(re.findall(r"^\| `([^`]+)` \| required", _DOCUMENT, re.MULTILINE))
    by_identity = {"AzureWebJobsStorage__queueServiceUri"}
    assert {name for name in required if name not in _SET} == {"AzureWebJobsStorage"}
    assert by_identity <= _SET


def test_no_setting_is_set_that_flex_consumption_refuses() -> None:
    """The plan knows the runtime from functionAppConfig; a deployment with one of these settings fails."""
    assert set() == _SET_FOR_FLEX & _REFUSED_ON_FLEX_CONSUMPTION


def test_no_connection_string_is_set() -> None:
    """Storage is reached by identity alone: shared keys are off, and the exact name would win over the identity."""
    assert "AzureWebJobsStorage" not in _SET

"""The gate that the tests of the origin gate knock at: some hosts are configured, all others are strangers."""

from importcore.registry.origin import OriginGate
from importcore.settings.model import HostSettings

ORDINARY = HostSettings()
PRIVATE = HostSettings.model_validate({"private": True})
PLAIN = HostSettings.model_validate({"private": True, "plainHttp": True})
CONFIGURED = {
    "registry.local:5000": PLAIN,
    "10.0.0.5:5000": PRIVATE,
    "[fd00::5]": PRIVATE,
    "169.254.169.254": PLAIN,
    "localhost": PRIVATE,
    "localhost:42356": PLAIN,
    "127.0.0.1:42356": PLAIN,
    "[::1]:42356": PLAIN,
    "default.local": PRIVATE,
    "xn--bcher-kva.local:5000": PRIVATE,
}


def gate(*identity_endpoints: str) -> OriginGate:
    """A gate with some hosts configured."""
    return OriginGate(lambda host: CONFIGURED.get(host, ORDINARY), identity_endpoints or ("localhost:42356",))

"""Function keys: who may call an HTTP function, when the host is asked to care.

`func start` ignores keys, and so does this host unless it is started with `--enable-auth`. Then level `function` asks
for the host key or the master key, and level `admin` for the master key, in `x-functions-key` or `?code=`.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

HOST_KEY_SETTING = "LOCALHOST_HOST_KEY"
MASTER_KEY_SETTING = "LOCALHOST_MASTER_KEY"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the app."""

    host: str
    master: str

    @classmethod
    def from_settings(cls, values: Mapping[str, str]) -> "Keys":
        """Read the keys.

        Raises:
            LookupError: One of the two settings is missing or empty.
        """
        for name in (HOST_KEY_SETTING, MASTER_KEY_SETTING):
            if not values.get(name):
                raise LookupError(f"--enable-auth needs the setting {name}")
        return cls(values[HOST_KEY_SETTING], values[MASTER_KEY_SETTING])

    def allow(self, auth_level: str, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Tell whether a request may call a function of this level."""
        if auth_level == "anonymous":
            return True
        accepted = [self.master] if auth_level == "admin" else [self.master, self.host]
        offered = headers.get("x-functions-key") or query.get("code") or ""
        return any(hmac.compare_digest(offered.encode(), key.encode()) for key in accepted)

"""The stack's directory: what must be the same after a restart with `--data`.

An import remembers its registries by host and port, and its credentials are sealed with a key: so the ports and the
key are kept. All files are readable by their owner only.
"""

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from devtools.azurite import AzuritePorts
from devtools.serving import reserve_port

_SEALING_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class StackPorts:
    """The ports of everything but the API."""

    source: int
    target: int
    identity: int
    azurite: AzuritePorts

    @classmethod
    def of_sample(cls) -> "StackPorts":
        """Give the ports that local.settings.sample.json names; those of Azurite are its own defaults."""
        return cls(source=5000, target=5001, identity=reserve_port(), azurite=AzuritePorts(10000, 10001, 10002))


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A directory of the stack."""

    path: Path

    def part(self, name: str) -> Path:
        """Give a directory for one part, made where it is missing."""
        folder = self.path / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def log(self, name: str) -> Path:
        """Give a part's log file."""
        return self.part("logs") / f"{name}.log"

    def ports(self, *, of_sample: bool = False) -> StackPorts:
        """Give the ports of local.settings.sample.json, or those of an earlier start, else free ones."""
        if of_sample:
            return StackPorts.of_sample()
        file = self.path / "ports.json"
        if file.exists():
            kept = json.loads(file.read_text())
            return StackPorts(**{**kept, "azurite": AzuritePorts(**kept["azurite"])})
        ports = StackPorts(reserve_port(), reserve_port(), reserve_port(), AzuritePorts.free())
        self.write(file.name, json.dumps(asdict(ports)))
        return ports

    def sealing_key(self) -> str:
        """Give the key that seals credentials, in base64."""
        return self._kept("sealing-key", base64.b64encode(secrets.token_bytes(_SEALING_KEY_BYTES)).decode())

    def registry_password(self) -> str:
        """Give the password of the emulated registries' user."""
        return self._kept("registry-password", secrets.token_hex(16))

    def write(self, name: str, text: str) -> None:
        """Write a file so that a reader never sees half of it."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.path / f"{name}.new"
        draft.touch(mode=0o600)
        draft.write_text(text)
        draft.replace(self.path / name)

    def _kept(self, name: str, fresh: str) -> str:
        file = self.path / name
        if not file.exists():
            self.write(name, fresh)
        return file.read_text()

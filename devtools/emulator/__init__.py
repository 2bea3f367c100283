"""An Azure Container Registry on one machine: registry, token service, data endpoint, faults and journal.

`create_emulator` makes one in process, as an ASGI application; `python -m devtools.emulator` serves one.
"""

from devtools.emulator.config import EmulatorConfig, StateCheck
from devtools.emulator.emulator import Emulator, create_emulator
from devtools.emulator.identities import Grant, Identities, Principal, User

__all__ = [
    "Emulator",
    "EmulatorConfig",
    "Grant",
    "Identities",
    "Principal",
    "StateCheck",
    "User",
    "create_emulator",
]

"""How an import may get into its source, as a request says it: credentials, the name of some, or a resource id."""

import re
from dataclasses import dataclass, field
from typing import Self

from importcore.errors import InvalidReferenceError

_RESOURCE_ID = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"/resourceGroups/(?P<group>[\w().-]{0,89}[\w()-])"
    r"/providers/Microsoft\.ContainerRegistry/registries/(?P<name>[a-z0-9]{5,50})",
    re.IGNORECASE,
)
UNRESOLVED_REGISTRY = "unresolved.invalid"
"""Stands for the login server of a resource id until Azure Resource Manager has told it; no such host exists
(RFC 6761, 6.4), so a request that was never resolved can go nowhere."""


@dataclass(frozen=True, slots=True)
class UserCredentials:
    """Credentials that came with a request; never printed."""

    password: str = field(repr=False)
    username: str | None = None


@dataclass(frozen=True, slots=True)
class NamedCredentials:
    """The name of credentials that the app settings hold (`TRANSLOAD_CREDENTIALS`)."""

    name: str


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """This app's Entra identity, and nothing else."""


SourceAccess = UserCredentials | NamedCredentials | OwnIdentity


@dataclass(frozen=True, slots=True)
class RegistryResource:
    """The Azure resource id of a container registry; `str` gives it in Azure's own spelling."""

    subscription: str
    group: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a resource id; Azure ignores case in it.

        Raises:
            InvalidReferenceError: It is not the id of a registry.
        """
        found = _RESOURCE_ID.fullmatch(text.strip().rstrip("/"))
        if found is None:
            raise InvalidReferenceError(
                "is not the id of a container registry; write /subscriptions/{id}/resourceGroups/{group}/providers/"
                "Microsoft.ContainerRegistry/registries/{name}"
            )
        return cls(found["subscription"].lower(), found["group"], found["name"])

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.ContainerRegistry/registries/{self.name}"
        )

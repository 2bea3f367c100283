"""The name of an image: registry/repository[:tag][@digest], as users write it, in one normal form.

Grammar: OCI distribution spec, "Pulling manifests"; Docker Hub's short names as in the docker reference grammar.
"""

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Self

from importcore.errors import InvalidReferenceError, printable

DOCKER_HUB = "docker.io"
_DOCKER_HUB_NAMES = frozenset({"docker.io", "index.docker.io", "registry.hub.docker.com", "registry-1.docker.io"})
_DOCKER_HUB_API = "registry-1.docker.io"
_OFFICIAL = "library/"

_PATH_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PATH_PART}(?:/{_PATH_PART})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?P<name>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?")
_PORTS = 65_536
_HTTPS = 443
_NAME_AT_MOST = 255


def is_digest(text: str) -> bool:
    """Tell whether the text is a digest that Transload can verify (sha256 or sha512)."""
    return _DIGEST.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    """Tell whether the text is a repository's name."""
    return _REPOSITORY.fullmatch(text) is not None and len(text) <= _NAME_AT_MOST


def is_tag(text: str) -> bool:
    """Tell whether the text is a tag."""
    return _TAG.fullmatch(text) is not None


def normal_registry(text: str) -> str:
    """Bring a registry's address into its one form: `host[:port]`, lower case, Docker Hub's names as `docker.io`.

    Raises:
        InvalidReferenceError: It is not a host with an optional port.
    """
    host = _one_spelling(text.strip().lower().removeprefix("https://").rstrip("/"))
    if not text.isascii() or host is None:  # before it is in lower case: that makes a k of the Kelvin sign
        _, at, rest = text.rpartition("@")  # before it may stand a password, which is not repeated
        shown = printable(f"…@{rest}" if at else text, 80)
        raise InvalidReferenceError(
            f"'{shown}' is not a registry address; write host or host:port, for example mcr.microsoft.com"
        )
    return DOCKER_HUB if host in _DOCKER_HUB_NAMES else host


def _one_spelling(text: str) -> str | None:
    """Give a host with an optional port in its one spelling; None where the text is none, or does not say that it is.

    A bare word would be a Docker Hub repository when it is read again as the first part of a reference. The port of
    https goes, zeros before a port go, an IPv6 address is written as RFC 5952 has it: what a policy says of a registry
    is said of it under whichever name a caller writes.
    """
    found = _HOST.fullmatch(text)
    if found is None or not ("." in text or ":" in text or text == "localhost"):
        return None
    name, port = found["name"], int(found["port"] or _HTTPS)
    if not 0 < port < _PORTS:
        return None
    if name.startswith("[") or name.rpartition(".")[2].isdigit():
        try:
            address = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return None
        name = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 (IP's versions)
    if port != _HTTPS:
        return f"{name}:{port}"
    return name if "." in name or ":" in name or name == "localhost" else f"{name}:{_HTTPS}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A registry, a repository in it and, where given, a tag and a digest there."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a full reference; a first part without `.` or `:` that is not `localhost` is a Docker Hub name.

        Raises:
            InvalidReferenceError: The message names the part that is wrong.
        """
        first, slash, rest = text.partition("/")
        if slash and ("." in first or ":" in first or first == "localhost"):
            return cls.in_registry(normal_registry(first), rest)
        return cls.in_registry(DOCKER_HUB, text)

    @classmethod
    def in_registry(cls, registry: str, image: str) -> Self:
        """Read `repository[:tag][@digest]` of a registry that is already in normal form.

        Raises:
            InvalidReferenceError: The message names the part that is wrong.
        """
        shown = printable(image, 120)
        name, at, digest = image.partition("@")
        repository, colon, tag = name.partition(":")
        if registry == DOCKER_HUB and "/" not in repository:
            repository = _OFFICIAL + repository
        if _REPOSITORY.fullmatch(repository) is None or len(registry) + 1 + len(repository) > _NAME_AT_MOST:
            raise InvalidReferenceError(
                f"'{shown}': the repository must be lower-case words separated by / . _ or -, at most "
                f"{_NAME_AT_MOST} characters with its registry"
            )
        if colon and not is_tag(tag):
            raise InvalidReferenceError(f"'{shown}': the tag must be 1 to 128 letters, digits, '_', '.' or '-'")
        if at and not is_digest(digest):
            raise InvalidReferenceError(
                f"'{shown}': the digest must be sha256: and 64, or sha512: and 128, lower-case hexadecimal digits"
            )
        return cls(registry, repository, tag or None, digest or None)

    @property
    def api_host(self) -> str:
        """The host that serves the registry API (Docker Hub's differs from its name)."""
        return api_host(self.registry)

    @property
    def manifest_reference(self) -> str:
        """What stands behind `/manifests/`: the digest where there is one, else the tag, else `latest`."""
        return self.digest or self.tag or "latest"

    def with_digest(self, digest: str) -> Self:
        """Pin this reference to a digest."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"


def api_host(registry: str) -> str:
    """Give the host that serves a registry's API: `registry-1.docker.io` for Docker Hub, else the same."""
    return _DOCKER_HUB_API if registry == DOCKER_HUB else registry


def registry_of(host: str) -> str:
    """Give the registry that a host serves; the way back from `api_host`."""
    return DOCKER_HUB if host == _DOCKER_HUB_API else host

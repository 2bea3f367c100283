"""Who copies: Transload's copy core in a process of its own, and the copiers that are on PATH."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TRANSLOAD = "Transload"


@dataclass(frozen=True, slots=True)
class Errand:
    """One copy to make.

    Attributes:
        source: `registry/repository:tag`.
        target: The same at the other registry.
        authority: PEM file with the certificate authority of both.
    """

    source: str
    target: str
    authority: Path


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program that copies images.

    Attributes:
        name: For the tables.
        command: Makes its command line.
        version: The command that tells its version; empty where there is none.
    """

    name: str
    command: Callable[[Errand], tuple[str, ...]]
    version: tuple[str, ...] = ()


def transload(*options: str) -> Contestant:
    """The copy core as the function runs it, without its queue and its storage."""

    def command(errand: Errand) -> tuple[str, ...]:
        runner = (sys.executable, "-m", "bench.copy_core")
        return (*runner, errand.source, errand.target, "--ca-file", str(errand.authority), *options)

    return Contestant(TRANSLOAD, command)


def _skopeo(errand: Errand) -> tuple[str, ...]:
    trusted = str(errand.authority.parent)  # it reads *.crt there
    return (
        "skopeo", "--insecure-policy", "copy", "--all", "--quiet", "--preserve-digests",
        "--src-cert-dir", trusted, "--dest-cert-dir", trusted,
        f"docker://{errand.source}", f"docker://{errand.target}",
    )  # fmt: skip


def _crane(errand: Errand) -> tuple[str, ...]:
    return ("crane", "copy", errand.source, errand.target)


def _regctl(errand: Errand) -> tuple[str, ...]:
    return ("regctl", "image", "copy", errand.source, errand.target)


def _oras(errand: Errand) -> tuple[str, ...]:
    trusted = str(errand.authority)
    return (
        "oras", "copy", "--recursive", "--no-tty", "--from-ca-file", trusted, "--to-ca-file", trusted,
        errand.source, errand.target,
    )  # fmt: skip


_PEERS = (
    Contestant("skopeo", _skopeo, ("skopeo", "--version")),
    Contestant("crane", _crane, ("crane", "version")),
    Contestant("regctl", _regctl, ("regctl", "version", "--format", "{{.VCSTag}}")),
    Contestant("oras", _oras, ("oras", "version")),
)


def peers() -> tuple[tuple[Contestant, ...], tuple[str, ...]]:
    """The peers that are on PATH, and the names of those that are not."""
    present = tuple(peer for peer in _PEERS if shutil.which(peer.name))
    return present, tuple(peer.name for peer in _PEERS if peer not in present)


def environment(authority: Path) -> dict[str, str]:
    """What the programs written in Go read their trust from."""
    return {"SSL_CERT_FILE": str(authority)}

"""Where the copies happen: real registries on this machine, over TLS, with content on disk; and whether they are right.

The source stays; every run gets a target of its own with nothing in it, so that every run really copies.
"""

import hashlib
import ssl
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import trustme

from bench.subjects import MANIFEST, PushedImage
from devtools.testing import TlsFiles, running_docker_registry

_PATIENT = httpx.Timeout(30.0, read=300.0, write=300.0)


@dataclass(frozen=True, slots=True)
class Tls:
    """The server's files, and what clients must trust; `authority` is a `.crt` alone in its folder (skopeo's wish)."""

    server: TlsFiles
    authority: Path


def make_tls(folder: Path) -> Tls:
    """Make a certificate authority and a certificate for 127.0.0.1."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    trusted = folder / "trusted"
    trusted.mkdir()
    authority.cert_pem.write_to_path(trusted / "ca.crt")
    certificate.cert_chain_pems[0].write_to_path(folder / "server.pem")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    return Tls(TlsFiles(folder / "server.pem", folder / "server.key", trusted / "ca.crt"), trusted / "ca.crt")


@asynccontextmanager
async def empty_registry(folder: Path, tls: Tls) -> AsyncIterator[str]:
    """Run a registry with nothing in it; what it got is deleted at the end. Yields its address `127.0.0.1:port`."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="registry-") as content:
        async with running_docker_registry(Path(content), tls.server) as address:
            yield address


def registry_client(address: str, tls: Tls) -> httpx.AsyncClient:
    """A plain client of a registry, which shares no code with what is measured."""
    context = ssl.create_default_context(cafile=tls.authority)
    return httpx.AsyncClient(base_url=f"https://{address}", verify=context, timeout=_PATIENT)


async def differences(http: httpx.AsyncClient, image: PushedImage) -> list[str]:
    """Compare what stands at a registry with an image, digest by digest, over the bytes that it serves."""
    repository = image.subject.repository
    manifest = await http.get(f"/v2/{repository}/manifests/1", headers={"Accept": MANIFEST})
    found = f"sha256:{hashlib.sha256(manifest.content).hexdigest()}"
    wrong = [] if found == image.manifest else [f"the tag stands on {found} instead of {image.manifest}"]
    return wrong + await wrong_blobs(http, repository, image.blobs)


async def wrong_blobs(http: httpx.AsyncClient, repository: str, digests: Sequence[str]) -> list[str]:
    """Hash what a repository serves for each digest, and name those that are something else."""
    wrong = []
    for digest in digests:
        hasher = hashlib.sha256()
        async with http.stream("GET", f"/v2/{repository}/blobs/{digest}") as blob:
            async for piece in blob.aiter_raw():
                hasher.update(piece)
        found = f"sha256:{hasher.hexdigest()}"
        if found != digest:
            wrong.append(f"blob {digest} has the bytes of {found} (status {blob.status_code})")
    return wrong

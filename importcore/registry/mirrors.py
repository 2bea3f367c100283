"""Mirrors: other registries that are asked for the same content first, to spare the registry itself.

Only manifests and blobs are read from a mirror, since what they are is verified by their digests; lists (tags,
referrers) come from the registry, because a mirror lists no more than it happens to hold. Nothing is ever written to a
mirror, and a mirror gets its own credentials, never the registry's.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx

from importcore.errors import NotFoundError, RegistryError, RegistryUnavailableError, Side
from importcore.registry.auth import RegistryAuth
from importcore.registry.client import RegistryClient
from importcore.registry.patience import ORDINARY, Patience

REST_SECONDS = 60.0
"""How long a mirror that did not answer is left alone, so that it does not slow down every blob."""
_READ = frozenset({"GET", "HEAD"})


class MirrorRests:
    """Which mirrors did not answer lately, in this process."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def begin(self, mirror: str) -> None:
        """Leave a mirror alone for a while."""
        self._until[mirror] = asyncio.get_running_loop().time() + REST_SECONDS

    def lasts(self, mirror: str) -> bool:
        """Tell whether a mirror is to be left alone."""
        return asyncio.get_running_loop().time() < self._until.get(mirror, 0.0)


class MirroredClient(RegistryClient):
    """A source registry whose content is read from its mirrors, as far as they have it."""

    def __init__(  # noqa: D417 (the rest is the base class's)
        self,
        http: httpx.AsyncClient,
        auth: RegistryAuth,
        registry: str,
        url: httpx.URL,
        *,
        mirrors: Sequence[RegistryClient],
        rests: MirrorRests,
        patience: Patience = ORDINARY,
    ) -> None:
        """Take what a client needs.

        Args:
            mirrors: Their clients, in the order to ask them.
            rests: Which of them did not answer lately.
        """
        super().__init__(http, auth, registry, url, Side.SOURCE, patience=patience)
        self._mirrors = mirrors
        self._rests = rests

    async def send(
        self,
        method: str,
        where: str | httpx.URL,
        repository: str,
        step: str,
        **more: Any,  # noqa: ANN401 (as the base class takes them)
    ) -> httpx.Response:
        """Send to the first mirror that answers well, and last of all to the registry itself.

        A mirror that lacks the content (404), refuses, or does not answer (5xx, no connection) is passed over. What
        the settings forbid, such as a mirror on a private address, is an error: a silent detour would hide it.
        """
        if method in _READ and isinstance(where, str) and ("/manifests/" in where or "/blobs/" in where):
            for mirror in self._mirrors:
                if self._rests.lasts(mirror.registry):
                    continue
                try:
                    return await mirror.send(method, where, repository, step, **more)
                except NotFoundError:
                    continue
                except RegistryUnavailableError:
                    self._rests.begin(mirror.registry)
                except RegistryError:
                    continue
        return await super().send(method, where, repository, step, **more)

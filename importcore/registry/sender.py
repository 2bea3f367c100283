"""How a request of a registry's client is sent: scopes, redirects, and what an answer means that no step expects.

Requests carry the scopes they need; redirects are followed here, for reads only and without Authorization on
another origin; a 404 means absent, and every other status that a step does not expect becomes an error.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar

import httpx

from importcore.errors import (
    AccessDeniedError,
    AuthenticationError,
    RegistryError,
    RegistryUnavailableError,
    Side,
    TransloadError,
)
from importcore.reference import is_digest
from importcore.registry.answers import error_for, unavailable
from importcore.registry.auth import SCOPES, RegistryAuth, explained
from importcore.registry.origin import netloc_of, same_origin
from importcore.registry.patience import ORDINARY, Patience
from importcore.registry.tokens import read_at_most
from importcore.registry.transport import REPEATABLE

_ERROR_BODY_AT_MOST = 64 * 1024
_REDIRECTS_AT_MOST = 5
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_READ = frozenset({"GET", "HEAD"})

E = TypeVar("E", bound=TransloadError)


class RegistrySender:
    """Sends the requests of one registry, for one side of an import."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        auth: RegistryAuth,
        registry: str,
        url: httpx.URL,
        side: Side,
        *,
        patience: Patience = ORDINARY,
    ) -> None:
        self._http = http
        self._auth = auth
        self._url = url
        self.registry = registry
        self.side = side
        self.patience = patience

    def resolve(self, location: str, against: httpx.URL | None = None) -> httpx.URL:
        """Make a Location absolute.

        Raises:
            RegistryUnavailableError: It is no URL.
        """
        try:
            url = (against or self._url).join(location)
            netloc_of(url)  # its host can be written as it must be for a connection
        except (httpx.InvalidURL, ValueError) as error:  # urllib joins, and its errors are of no kind of its own
            raise RegistryUnavailableError(
                f"{self.registry} answered with a Location that is no URL",
                registry=self.registry,
                origin=self.side,
            ) from error
        return url

    async def send(
        self,
        method: str,
        where: str | httpx.URL,
        repository: str,
        step: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        accept: tuple[int, ...] = (200,),
        repeatable: bool = False,
        also_pull_from: str | None = None,
        scopes: tuple[str, ...] | None = None,
        limits: httpx.Timeout | None = None,
    ) -> httpx.Response:
        """Send, follow redirects of reads, and turn every status that is not accepted into an error.

        Args:
            method: The HTTP method.
            where: A path of this registry, or a whole URL that it answered with (upload sessions).
            repository: The repository that the request is about; it gives the scope.
            step: What is being done, for errors.
            headers: Besides those that the pool and the credential add.
            content: The body; one that is streamed is never sent twice.
            accept: The statuses that the step expects.
            repeatable: The transport may send it again although the method alone does not say so.
            also_pull_from: Another repository that the token must be good for.
            scopes: What the token must be good for, where it is no repository.
            limits: Time-outs other than the pool's.
        """
        scopes = scopes or self._scopes(repository, also_pull_from)
        url = self._url.join(where) if isinstance(where, str) else where
        extensions: dict[str, Any] = {SCOPES: scopes, REPEATABLE: repeatable}
        if limits:
            extensions["timeout"] = limits.as_dict()
        reference = repository if isinstance(where, httpx.URL) else _reference_in(where, repository)
        try:
            for _ in range(_REDIRECTS_AT_MOST + 1):
                request = self._http.build_request(method, url, headers=headers, content=content, extensions=extensions)
                ours = same_origin(url, self._url)
                response = await self._http.send(request, stream=True, auth=self._auth if ours else None)
                if response.status_code not in _REDIRECT or method not in _READ or "location" not in response.headers:
                    break
                await response.aclose()
                url = self.resolve(response.headers["location"], url)
            else:
                raise RegistryUnavailableError(
                    f"{self.registry} redirects without end",
                    registry=self.registry,
                    origin=self.side,
                    step=step,
                )
            if response.status_code in accept:
                return response
            body = await read_at_most(response, _ERROR_BODY_AT_MOST)
        except httpx.RequestError as error:
            raise unavailable(error, self.registry, step, self.side, reference) from error
        except TransloadError as error:  # of the gate, of the token service, or of the other side, which gives the body
            raise self._located(error, error.step or step, reference, error.origin) from error
        answer = error_for(response, body, registry=self.registry, step=step, side=self.side, reference=reference)
        raise self._understood(answer, scopes, ours=ours)

    def _understood(self, error: RegistryError, scopes: tuple[str, ...], *, ours: bool) -> RegistryError:
        """Explain a 401 of the registry. A host behind it knows signed URLs alone: a fresh one may do."""
        if not ours and isinstance(error, AuthenticationError | AccessDeniedError):
            return RegistryUnavailableError(
                f"the storage behind {self.registry} refused its signed URL ({error.status})",
                registry=self.registry,
                status=error.status,
                answers=error.answers,
                origin=self.side,
                step=error.step,
                reference=error.reference,
                action="Nothing to do at first: a new URL is asked for. If it lasts, the registry's clock, or a "
                "firewall between it and its storage, may be wrong.",
            )
        return explained(error, self._auth, scopes) if isinstance(error, AuthenticationError) else error

    def _scopes(self, repository: str, also_pull_from: str | None) -> tuple[str, ...]:
        actions = "pull" if self.side is Side.SOURCE else "pull,push"
        scopes = (f"repository:{repository}:{actions}",)
        return (
            (*scopes, f"repository:{also_pull_from}:pull")
            if also_pull_from and also_pull_from != repository
            else scopes
        )

    def _named(self, repository: str, reference: str) -> str:
        return f"{self.registry}/{repository}{'@' if is_digest(reference) else ':'}{reference}"

    def _located(self, error: E, step: str, reference: str, origin: Side | None = None) -> E:
        error.origin, error.step = origin or self.side, step
        error.reference = error.reference or reference
        return error


def _reference_in(path: str, repository: str) -> str:
    last = path.partition("?")[0].rpartition("/")[2]
    return (
        f"{repository}@{last}" if is_digest(last) else f"{repository}:{last}" if "/manifests/" in path else repository
    )

"""Registries that count pulls, such as Docker Hub: stop asking for manifests when none are left, and say until when.

A pull is the GET of a manifest; a HEAD is not counted, and is never refused here. The registry says in each answer how
many pulls there are in which window (`ratelimit-limit: 100;w=21600`) and how many of them are left
(`ratelimit-remaining: 76;w=21600`); Docker Hub documentation, "Usage and limits for Docker Hub pulls".

The rule for the pause when none are left, or when a 429 comes without `Retry-After`: one pull's share of the window
(window / limit), but at least a minute and at most an hour. The window slides, so that is when the next pull can be
expected; the import sleeps in the queue until then.
"""

import asyncio
import re
from dataclasses import dataclass

import httpx

from importcore.errors import RateLimitedError
from importcore.registry.numbers import whole_number
from importcore.registry.transport import PAUSE, retry_after

PAUSE_AT_LEAST = 60.0
PAUSE_AT_MOST = 3600.0
_MANIFEST = re.compile(r"/v2/.+/manifests/[^/]+")
_COUNT = re.compile(r"\s*(\d{1,18})\s*(?:;\s*w=(\d{1,18})\s*)?")


@dataclass(frozen=True, slots=True)
class Window:
    """So many pulls in so many seconds."""

    pulls: int
    seconds: int

    @property
    def pause(self) -> float:
        """How long to wait for the next pull, in seconds."""
        return min(max(self.seconds / max(self.pulls, 1), PAUSE_AT_LEAST), PAUSE_AT_MOST)


class PullQuota:
    """What one registry says about the pulls of one credential; kept as long as the process uses both."""

    def __init__(self, registry: str) -> None:
        self._registry = registry
        self._window: Window | None = None
        self._empty_until = 0.0

    def require_left(self) -> None:
        """Let a pull pass.

        Raises:
            RateLimitedError: None are left; `retry_after` says until when.
        """
        left = self._empty_until - asyncio.get_running_loop().time()
        if left > 0 and self._window is not None:
            window = self._window
            raise RateLimitedError(
                f"{self._registry} has no pulls left ({window.pulls} in {window.seconds} seconds)",
                registry=self._registry,
                retry_after=left,
            )

    def note(self, response: httpx.Response) -> None:
        """Learn from the answer to a GET or HEAD of a manifest; a 429 gets its pause where it does not say one."""
        limit = _COUNT.fullmatch(response.headers.get("ratelimit-limit", ""))
        if limit and limit[2]:
            self._window = Window(int(limit[1]), int(limit[2]))
        if self._window is None:
            return  # a registry that counts no pulls
        now = asyncio.get_running_loop().time()
        remaining = _COUNT.fullmatch(response.headers.get("ratelimit-remaining", ""))
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            pause = retry_after(response) or self._window.pause
            response.extensions[PAUSE] = pause
            self._empty_until = now + pause
        elif remaining:
            self._empty_until = 0.0 if whole_number(remaining[1]) else now + self._window.pause


class QuotaTransport(httpx.AsyncBaseTransport):
    """Keeps an eye on the pulls of one credential at one registry."""

    def __init__(self, inner: httpx.AsyncBaseTransport, quota: PullQuota) -> None:
        self._inner = inner
        self._quota = quota

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, unless it is a pull and none are left."""
        is_manifest = request.method in {"GET", "HEAD"} and _MANIFEST.fullmatch(request.url.path) is not None
        if is_manifest and request.method == "GET":
            self._quota.require_left()
        response = await self._inner.handle_async_request(request)
        if is_manifest:
            self._quota.note(response)
        return response

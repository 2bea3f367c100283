"""How requests travel: the gate, then the retry of what may be repeated; the connection pool is `pool_transport.py`.

Retried here: GET and HEAD, and the PUT of a manifest (which is idempotent); on connection errors, 408, 429 and 5xx.
Never PATCH or POST: their unknown outcome is asked for by whoever sent them. Waits are short, because a function that
sleeps costs money and the queue sleeps for nothing: a longer `Retry-After` is handed up instead.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import tenacity

from importcore.registry.numbers import whole_number
from importcore.registry.origin import OriginGate

REPEATABLE = "transload.repeatable"
"""Request extension: this request may be sent again although its method alone does not say so."""
PAUSE = "transload.pause"
"""Response extension: the pause in seconds that follows from a quota, where the answer has no `Retry-After`."""

_TRIES = 4
_WAIT_AT_MOST = 10.0
_RETRY_AFTER_AT_MOST = 86_400.0
_TEMPORARY = frozenset({408, 429, 500, 502, 503, 504})
_REPEATABLE_METHODS = frozenset({"GET", "HEAD"})


def retry_after(response: httpx.Response) -> float | None:
    """Read `Retry-After`, in seconds from now; it may be a number or a date (RFC 9110, 10.2.3).

    Without that header it is the pause that follows from the registry's quota (see `quota.py`), if there is one.
    """
    value = response.headers.get("retry-after", "").strip()
    if not value:
        pause: float | None = response.extensions.get(PAUSE)
        return pause
    seconds = whole_number(value)
    if seconds is not None:
        return float(min(seconds, _RETRY_AFTER_AT_MOST))
    try:
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        left = (moment - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, left), _RETRY_AFTER_AT_MOST)


class GateTransport(httpx.AsyncBaseTransport):
    """Lets no request out that the origin gate refuses."""

    def __init__(self, gate: OriginGate, inner: httpx.AsyncBaseTransport) -> None:
        self._gate = gate
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Check the URL and pass the request on."""
        self._gate.check(request.url)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what lies behind."""
        await self._inner.aclose()


class RetryTransport(httpx.AsyncBaseTransport):
    """Repeats requests that may be repeated, with growing waits and jitter."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, first_wait: float = 0.3) -> None:
        self._inner = inner
        self._backoff = tenacity.wait_random_exponential(multiplier=first_wait, max=5.0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request, again where that may help; the last answer or error is handed up as it is."""
        if request.method not in _REPEATABLE_METHODS and not request.extensions.get(REPEATABLE):
            return await self._inner.handle_async_request(request)
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(_TRIES),
            wait=self._wait,
            retry=tenacity.retry_if_exception_type(httpx.TransportError) | tenacity.retry_if_result(_may_pass),
            retry_error_callback=_last_outcome,
            before_sleep=_close_answer,
        )
        answer: httpx.Response = await retrying(self._inner.handle_async_request, request)
        return answer

    def _wait(self, state: tenacity.RetryCallState) -> float:
        asked = None
        if state.outcome and not state.outcome.failed:
            asked = retry_after(state.outcome.result())
        return self._backoff(state) if asked is None else asked

    async def aclose(self) -> None:
        """Close what lies behind."""
        await self._inner.aclose()


def _may_pass(response: httpx.Response) -> bool:
    return response.status_code in _TEMPORARY and (retry_after(response) or 0.0) <= _WAIT_AT_MOST


async def _close_answer(state: tenacity.RetryCallState) -> None:
    if state.outcome and not state.outcome.failed:
        await state.outcome.result().aclose()


def _last_outcome(state: tenacity.RetryCallState) -> httpx.Response:
    if state.outcome is None:
        raise RuntimeError("tenacity gave up before trying")
    response: httpx.Response = state.outcome.result()  # raises the last error
    return response

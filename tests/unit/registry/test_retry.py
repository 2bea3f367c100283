"""Retrying: which requests, how often, how long between; and nothing leaves that the gate refuses."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from importcore.errors import UnsafeUrlError
from importcore.registry.origin import OriginGate
from importcore.registry.transport import REPEATABLE, GateTransport, RetryTransport, retry_after
from importcore.settings.model import HostSettings
from tests.unit.registry.scripted import URL, Pieces, streamed

Outcome = httpx.Response | Exception


class Outcomes:
    """A registry that does one thing after the other, and the last one again and again."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes: Iterator[Outcome] = iter(outcomes)
        self._last: Outcome = outcomes[-1]
        self.count = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002 (what MockTransport calls)
        """Do the next thing."""
        self.count += 1
        outcome = next(self._outcomes, self._last)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def sent(outcomes: Outcomes, method: str = "GET", *, repeatable: bool = False) -> httpx.Response:
    """Send a request through the retry."""
    transport = RetryTransport(httpx.MockTransport(outcomes), first_wait=0.001)
    return await transport.handle_async_request(httpx.Request(method, URL, extensions={REPEATABLE: repeatable}))


@pytest.mark.parametrize(("method", "repeatable"), [("GET", False), ("HEAD", False), ("PUT", True), ("POST", True)])
@pytest.mark.parametrize("trouble", [408, 429, 500, 502, 503, 504, httpx.ConnectError("x"), httpx.ReadTimeout("x")])
async def test_what_may_be_repeated_is(method: str, repeatable: bool, trouble: int | Exception) -> None:  # noqa: FBT001
    """After a fault that may pass; the caller sees only the answer that came in the end."""
    outcomes = Outcomes(httpx.Response(trouble) if isinstance(trouble, int) else trouble, httpx.Response(200))

    response = await sent(outcomes, method, repeatable=repeatable)

    assert (response.status_code, outcomes.count) == (200, 2)


@pytest.mark.parametrize("method", ["PATCH", "POST", "PUT", "DELETE"])
async def test_a_write_is_never_repeated(method: str) -> None:
    """Its unknown outcome is asked for by whoever sent it."""
    refused, broken = Outcomes(httpx.Response(503)), Outcomes(httpx.ReadError("reset"))

    assert (await sent(refused, method)).status_code == 503
    with pytest.raises(httpx.ReadError):
        await sent(broken, method)

    assert (refused.count, broken.count) == (1, 1)


@pytest.mark.parametrize("status", [200, 206, 301, 400, 401, 403, 404, 416, 501])
async def test_an_answer_that_will_not_change_is_handed_up(status: int) -> None:
    """Asking again would only cost."""
    outcomes = Outcomes(httpx.Response(status))

    assert (await sent(outcomes)).status_code == status
    assert outcomes.count == 1


async def test_it_gives_up_after_four_tries() -> None:
    """The last answer or error is handed up as it is."""
    refused, broken = Outcomes(httpx.Response(503)), Outcomes(httpx.ConnectError("first"), httpx.ConnectError("last"))

    assert (await sent(refused)).status_code == 503
    with pytest.raises(httpx.ConnectError, match="last"):
        await sent(broken)

    assert (refused.count, broken.count) == (4, 4)


async def test_what_the_gate_refused_is_not_tried_again() -> None:
    """It is no fault of the network."""
    outcomes = Outcomes(UnsafeUrlError("refused"))

    with pytest.raises(UnsafeUrlError):
        await sent(outcomes)

    assert outcomes.count == 1


async def test_answers_that_are_given_up_are_closed_and_the_last_one_is_not() -> None:
    """Else each of them would hold a connection."""
    bodies = [Pieces(b"x") for _ in range(5)]
    outcomes = Outcomes(*(httpx.Response(503, stream=body) for body in bodies))

    await sent(outcomes)

    assert [body.closed for body in bodies] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("asked", "least"),
    [("7", 7.0), ("0", 0.0), (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=9)), 5.0)],
)
async def test_the_registry_says_how_long_to_wait(asked: str | Callable[[], str], least: float) -> None:
    """As seconds or as a date."""
    value = asked if isinstance(asked, str) else asked()
    outcomes = Outcomes(streamed(429, Retry_After=value), httpx.Response(200))
    before = asyncio.get_running_loop().time()

    await sent(outcomes)

    assert outcomes.count == 2
    assert asyncio.get_running_loop().time() - before >= least


async def test_a_longer_wait_is_left_to_the_queue() -> None:
    """A function that sleeps costs money."""
    outcomes = Outcomes(streamed(429, Retry_After="11"))

    response = await sent(outcomes)

    assert (response.status_code, outcomes.count) == (429, 1)
    assert retry_after(response) == 11


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", None),
        ("0", 0),
        (" 30 ", 30),
        ("1000000000", 86_400),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00", 0),
        ("Wed, 21 Oct 2899 07:28:00 -0000", 86_400),
        ("Wed, 41 Oct 2015 07:28:00 GMT", None),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
        ("9" * 5000, None),
        ("\u00b2", None),
    ],
)
def test_retry_after_in_every_form(value: str, seconds: float | None) -> None:
    """A number, a date with or without a zone, or nothing that can be used; never more than a day."""
    assert retry_after(streamed(429, Retry_After=value)) == seconds


async def test_nothing_leaves_that_the_gate_refuses() -> None:
    """The request does not even reach the pool."""
    outcomes = Outcomes(httpx.Response(200))
    gate = OriginGate(lambda _: HostSettings())
    http = httpx.AsyncClient(transport=GateTransport(gate, RetryTransport(httpx.MockTransport(outcomes))))

    with pytest.raises(UnsafeUrlError):
        await http.get("https://169.254.169.254/metadata/identity/oauth2/token")
    assert outcomes.count == 0

    assert (await http.get(URL)).status_code == 200
    await http.aclose()

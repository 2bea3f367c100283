"""Counted pulls: when the next one is worth asking for, and that nothing but a pull is ever held back."""

import asyncio

import httpx
import pytest

from importcore.errors import RateLimitedError
from importcore.registry.quota import PullQuota, QuotaTransport, Window
from importcore.registry.transport import RetryTransport, retry_after
from tests.unit.registry.scripted import URL, ScriptedTransport, streamed

MANIFEST, TAGS, BLOB = "/v2/a/b/manifests/1", "/v2/a/b/tags/list", "/v2/a/b/blobs/sha256:00"


def left(number: int, limit: str = "100;w=21600") -> dict[str, str]:
    """What an answer says about the quota."""
    return {"ratelimit_limit": limit, "ratelimit_remaining": f"{number};w=21600"}


class Asker:
    """Somebody who asks a registry that counts pulls, and remembers what it counted."""

    def __init__(self, *answers: httpx.Response) -> None:
        given = iter(answers)
        self.script = ScriptedTransport(lambda _: next(given, streamed(200)))
        self._transport = QuotaTransport(self.script, PullQuota("hub.example"))

    async def ask(self, method: str = "GET", path: str = MANIFEST) -> httpx.Response:
        """Send one request."""
        return await self._transport.handle_async_request(httpx.Request(method, URL.join(path)))


@pytest.mark.parametrize(
    ("pulls", "seconds", "pause"),
    [(100, 21_600, 216), (10, 3_600, 360), (1_000, 21_600, 60), (10, 86_400, 3_600), (0, 60, 60)],
)
def test_the_pause_is_one_pulls_share_of_the_window(pulls: int, seconds: int, pause: float) -> None:
    """At least a minute, at most an hour."""
    assert Window(pulls, seconds).pause == pause


async def test_nothing_is_pulled_while_none_are_left_and_then_it_is() -> None:
    """The error says for how long; the registry is not even asked."""
    asker = Asker(streamed(200, **left(0)))
    await asker.ask()

    with pytest.raises(RateLimitedError, match="100 in 21600 seconds") as caught:
        await asker.ask()
    assert caught.value.retry_after == pytest.approx(216, abs=1)
    assert len(asker.script.requests) == 1

    await asyncio.sleep(caught.value.retry_after or 0)
    assert (await asker.ask()).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("HEAD", MANIFEST), ("GET", TAGS), ("GET", BLOB), ("PUT", MANIFEST), ("GET", "/v2/")]
)
async def test_only_a_pull_is_held_back(method: str, path: str) -> None:
    """A HEAD above all: it is not counted."""
    asker = Asker(streamed(200, **left(0)))
    await asker.ask()

    assert (await asker.ask(method, path)).status_code == 200


async def test_a_head_tells_what_is_left_as_well() -> None:
    """Both that there are none, and that there are some again."""
    asker = Asker(streamed(200, **left(0)), streamed(200, **left(3)))
    await asker.ask("HEAD")
    with pytest.raises(RateLimitedError):
        await asker.ask()

    await asker.ask("HEAD")
    assert (await asker.ask()).status_code == 200


@pytest.mark.parametrize(
    ("headers", "pause"),
    [(left(0), 216), ({**left(0), "retry_after": "95"}, 95), ({"retry_after": "95"}, 95), ({}, None)],
)
async def test_a_429_says_how_long_to_wait(headers: dict[str, str], pause: float | None) -> None:
    """`Retry-After` where there is one, else the pause of the window, else nothing."""
    refused = await Asker(streamed(429, **headers)).ask()

    assert retry_after(refused) == pause


async def test_a_429_remembers_the_window_of_an_earlier_answer() -> None:
    """And holds the next pull back."""
    asker = Asker(streamed(200, **left(1, "10;w=21600")), streamed(429))
    await asker.ask()

    assert retry_after(await asker.ask()) == 2160
    with pytest.raises(RateLimitedError):
        await asker.ask()


@pytest.mark.parametrize("limit", ["", "100", "soon", "100;w=", "-1;w=60", "1" * 30 + ";w=60", "100;w=60;x"])
async def test_a_registry_that_counts_in_other_words_is_not_understood(limit: str) -> None:
    """And so nothing is held back."""
    asker = Asker(streamed(200, ratelimit_limit=limit, ratelimit_remaining="0"))
    await asker.ask()

    assert (await asker.ask()).status_code == 200


async def test_a_429_with_a_known_pause_is_not_tried_again_at_once() -> None:
    """The import sleeps in the queue instead."""
    script = ScriptedTransport(lambda _: streamed(429, **left(0)))
    transport = RetryTransport(QuotaTransport(script, PullQuota("hub.example")))

    answer = await transport.handle_async_request(httpx.Request("GET", URL.join(MANIFEST)))

    assert (answer.status_code, len(script.requests)) == (429, 1)

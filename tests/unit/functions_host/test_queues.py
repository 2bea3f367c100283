"""What the queue trigger decides without a queue: names, pauses, connections, signals."""

import asyncio
import signal

import pytest

from devtools.functions_host.app_settings import AppSettings, MissingSettingError
from devtools.functions_host.queue_listener import PollingBackoff
from devtools.functions_host.queue_processor import poison_queue_name
from devtools.functions_host.shared_signals import SharedSignalsLoop


@pytest.mark.parametrize(
    ("queue", "poison"),
    [("imports", "imports-poison"), ("imports-poison", None), ("q" * 56, "q" * 56 + "-poison"), ("q" * 57, None)],
)
def test_the_poison_queues_name(queue: str, poison: str | None) -> None:
    """A poison queue has none of its own, and a name that would be too long is not made."""
    assert poison_queue_name(queue) == poison


def test_the_pause_grows_to_its_limit_and_starts_again() -> None:
    """Idle polls get rarer, up to maxPollingInterval; a find makes them quick again."""
    backoff = PollingBackoff(5.0)
    pauses = [backoff.pause() for _ in range(12)]
    assert 0.08 <= pauses[0] <= 0.12
    assert pauses[3] > pauses[0]
    assert 4.0 <= max(pauses) <= 5.0
    backoff.reset()
    assert backoff.pause() <= 0.12


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"Jobs": "AccountName=a;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:1/a;"}, "http://127.0.0.1:1/a"),
        (
            {"AzureWebJobsJobs": "AccountName=a;AccountKey=a2V5;QueueEndpoint=http://127.0.0.1:1/a;"},
            "http://127.0.0.1:1/a",
        ),
        ({"Jobs__queueServiceUri": "https://b.queue.core.windows.net"}, "https://b.queue.core.windows.net"),
        ({"Jobs__accountName": "c", "Jobs__credential": "managedidentity"}, "https://c.queue.core.windows.net"),
    ],
)
async def test_a_connection_is_a_connection_string_or_an_identity(settings: dict[str, str], url: str) -> None:
    """The forms that a binding's `connection` may take."""
    async with AppSettings(settings).queue_service("Jobs") as service:
        assert service.url.rstrip("/") == url


def test_a_missing_setting_is_named() -> None:
    """Neither a connection nor a placeholder falls back to anything."""
    with pytest.raises(MissingSettingError, match="Jobs__queueServiceUri"):
        AppSettings({}).queue_service("Jobs")
    with pytest.raises(MissingSettingError, match="QUEUE"):
        AppSettings({}).expanded("%QUEUE%")


def test_a_signal_reaches_every_listener() -> None:
    """A second handler does not replace the first; removing takes all of them away."""
    heard: list[str] = []

    async def listen() -> bool:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, heard.append, "host")
        loop.add_signal_handler(signal.SIGUSR1, heard.append, "app")
        signal.raise_signal(signal.SIGUSR1)
        while len(heard) < 2:
            await asyncio.sleep(0)
        return loop.remove_signal_handler(signal.SIGUSR1)

    with asyncio.Runner(loop_factory=SharedSignalsLoop) as runner:
        assert runner.run(listen())
    assert heard == ["host", "app"]

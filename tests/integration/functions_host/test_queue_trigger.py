"""The queue trigger of the local host, seen from the other side of the queue."""

import asyncio
import base64
import json
import os
import signal

import pytest

from devtools.functions_host.invocation import EXIT_AFTER_TIMEOUT
from devtools.functions_host.testing import ObservedQueue, StartHost

pytestmark = pytest.mark.timeout(60)


async def test_a_message_reaches_the_function_once_and_is_deleted(start_host: StartHost, queue: ObservedQueue) -> None:
    """A message is decoded, given to the function with its id and dequeue count, and deleted."""
    identifier = await queue.send("hello")
    async with start_host("--functions", "queue") as host:
        assert await host.until(begun="hello") == [{"begun": "hello", "id": identifier, "count": 1}]
        await queue.until_empty()


async def test_a_failing_message_is_tried_again_and_then_poisoned(start_host: StartHost, queue: ObservedQueue) -> None:
    """After maxDequeueCount tries the message stands in the poison queue, which the host made, and nowhere else."""
    body = json.dumps({"do": "fail"})
    await queue.send(body)
    async with start_host("--functions", "queue") as host:
        poisoned = await queue.until_poisoned()
        assert [event["count"] for event in host.happened(begun=body)] == [1, 2]
    assert poisoned == [base64.b64encode(body.encode()).decode()]
    assert await queue.length() == 0


async def test_a_message_that_is_not_base64_is_poisoned_as_it_is(start_host: StartHost, queue: ObservedQueue) -> None:
    """A message that cannot be decoded never reaches the function, and keeps its bytes."""
    await queue.send("no base64!", encoded=False)
    async with start_host("--functions", "queue") as host:
        poisoned = await queue.until_poisoned()
        assert host.happened() == []
    assert poisoned == ["no base64!"]


async def test_no_more_than_a_batch_runs_at_once(start_host: StartHost, queue: ObservedQueue) -> None:
    """With batchSize 2 and newBatchThreshold 0 the third message begins after the first two have ended."""
    bodies = [json.dumps({"do": "sleep", "seconds": 0.3, "number": number}) for number in range(6)]
    for body in bodies:
        await queue.send(body)
    async with start_host("--functions", "queue") as host:
        for body in bodies:
            await host.until(ended=body)
        running, most = 0, 0
        for event in host.happened():
            running += 1 if "begun" in event else -1
            most = max(most, running)
        assert most == 2


async def test_an_app_setting_overrides_host_json(start_host: StartHost, queue: ObservedQueue) -> None:
    """`AzureFunctionsJobHost__extensions__queues__batchSize` decides how many run at once."""
    for number in range(3):
        await queue.send(json.dumps({"do": "sleep", "seconds": 0.2, "number": number}))
    async with start_host("--functions", "queue", AzureFunctionsJobHost__extensions__queues__batchSize="1") as host:
        await queue.until_empty()
        kinds = ["begun" if "begun" in event else "ended" for event in host.happened()]
        assert kinds == ["begun", "ended"] * 3


async def test_a_long_invocation_keeps_its_message(start_host: StartHost, queue: ObservedQueue) -> None:
    """The visibility is renewed: a function that outlasts the first visibility does not see its message again."""
    body = json.dumps({"do": "sleep", "seconds": 5})
    await queue.send(body)
    async with start_host("--functions", "queue", LOCALHOST_FIRST_VISIBILITY_SECONDS="2") as host:
        await host.until(ended=body)
        await queue.until_empty()
        assert len(host.happened(begun=body)) == 1


async def test_the_message_of_a_killed_host_comes_back(start_host: StartHost, queue: ObservedQueue) -> None:
    """Nothing is done when the process dies: the message comes back by its visibility, counted once more."""
    body = json.dumps({"do": "sleep", "seconds": 1})
    await queue.send(body)
    settings = {"LOCALHOST_FIRST_VISIBILITY_SECONDS": "2"}
    async with start_host("--functions", "queue", **settings) as host:
        await host.until(begun=body)
        os.kill(host.child.pid, signal.SIGKILL)
        assert await host.child.wait() == -signal.SIGKILL
    async with start_host("--functions", "queue", **settings) as host:
        await host.until(ended=body)
        assert [event["count"] for event in host.happened(begun=body)] == [1, 2]


@pytest.mark.parametrize("order", ["sleep", "block"])
async def test_the_process_ends_when_functiontimeout_is_exceeded(
    start_host: StartHost, queue: ObservedQueue, order: str
) -> None:
    """An invocation that exceeds functionTimeout takes the process with it, even when it blocks the event loop."""
    await queue.send(json.dumps({"do": order, "seconds": 50}))
    async with start_host("--functions", "queue", AzureFunctionsJobHost__functionTimeout="00:00:01") as host:
        assert await host.child.wait() == EXIT_AFTER_TIMEOUT
    assert await queue.length() == 1


async def test_sigterm_lets_a_running_function_end(start_host: StartHost, queue: ObservedQueue) -> None:
    """After SIGTERM the running function ends and its message is deleted, the next is left alone, the status is 0."""
    body = json.dumps({"do": "sleep", "seconds": 2})
    await queue.send(body)
    settings = {"AzureFunctionsJobHost__extensions__queues__batchSize": "1"}
    async with start_host("--functions", "queue", **settings) as host:
        await host.until(begun=body)
        await queue.send("too late")
        os.kill(host.child.pid, signal.SIGTERM)
        assert await host.child.wait() == 0
        assert len(host.happened(ended=body)) == 1
        assert host.happened(begun="too late") == []
    assert await queue.length() == 1


async def test_the_apps_own_sigterm_handler_is_called_too(start_host: StartHost, queue: ObservedQueue) -> None:
    """An app that listens to SIGTERM gets it, and the host drains none the less."""
    body = json.dumps({"do": "until SIGTERM"})
    await queue.send(body)
    async with start_host("--functions", "queue") as host:
        await host.until(begun=body)
        await asyncio.sleep(0.2)  # the function installs its handler right after its note
        os.kill(host.child.pid, signal.SIGTERM)
        assert await host.child.wait() == 0
        assert len(host.happened(ended=body)) == 1
    assert await queue.length() == 0


async def test_a_function_that_does_not_end_is_given_up_after_the_drain_limit(
    start_host: StartHost, queue: ObservedQueue
) -> None:
    """The drain has a limit: the process ends, and the message stays for somebody else."""
    body = json.dumps({"do": "sleep", "seconds": 50})
    await queue.send(body)
    async with start_host("--functions", "queue", LOCALHOST_DRAIN_SECONDS="1") as host:
        await host.until(begun=body)
        os.kill(host.child.pid, signal.SIGTERM)
        assert await host.child.wait() == 0
        assert host.happened(ended=body) == []
    assert await queue.length() == 1


async def test_the_triggers_queue_is_waited_for(start_host: StartHost, queue: ObservedQueue) -> None:
    """The host does not make a trigger's queue; it finds it as soon as somebody does."""
    await queue.service.delete_queue(queue.name)
    async with start_host("--functions", "queue") as host:
        await asyncio.sleep(0.5)
        assert queue.name not in [found.name async for found in queue.service.list_queues()]
        await queue.service.create_queue(queue.name)
        await queue.send("hello")
        await host.until(begun="hello")

"""The host as a process: its ready line, its groups of functions, HTTP on a socket, and what it refuses."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from devtools.functions_host.testing import StartHost
from devtools.stack.child import Child, ChildError, ChildSpec

pytestmark = pytest.mark.timeout(60)


async def test_all_functions_run_in_one_process(start_host: StartHost) -> None:
    """Without a group the ready line names every function of the app, and HTTP is answered."""
    async with start_host() as host, httpx.AsyncClient(base_url=host.url) as client:
        assert host.child.ready_line["functions"] == ["echo", "pid", "slow", "work", "yearly", "arrived"]
        assert host.child.ready_line["pid"] == host.child.pid
        answer = await client.post("/api/echo/one?a=1&a=2&empty=", content=b"hello", headers={"X-Mixed": "Case"})
    seen = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (201, "application/json")
    assert (seen["method"], seen["route"], seen["body"]) == ("POST", {"name": "one"}, "hello")
    assert seen["headers"]["x-mixed"] == "Case"


async def test_a_blocking_function_runs_beside_the_event_loop(start_host: StartHost) -> None:
    """A `def` function runs in a thread of the same process."""
    async with start_host("--functions", "http") as host, httpx.AsyncClient(base_url=host.url) as client:
        assert (await client.get("/api/pid")).text == f"{host.child.pid} False"


async def test_a_process_for_queues_has_no_address(start_host: StartHost) -> None:
    """The queue group holds the queue functions only, and does not listen to HTTP."""
    async with start_host("--functions", "queue") as host:
        assert (host.child.ready_line["url"], host.child.ready_line["functions"]) == (None, ["work"])


async def test_keys_are_asked_for_when_enabled(start_host: StartHost) -> None:
    """With --enable-auth a function of level `function` wants a key, an anonymous one does not."""
    settings = {"LOCALHOST_HOST_KEY": "host-key", "LOCALHOST_MASTER_KEY": "master-key"}
    async with start_host("--enable-auth", **settings) as host, httpx.AsyncClient(base_url=host.url) as client:
        statuses = [
            (await client.get("/api/echo/x")).status_code,
            (await client.get("/api/echo/x", params={"code": "wrong"})).status_code,
            (await client.get("/api/echo/x", params={"code": "host-key"})).status_code,
            (await client.get("/api/echo/x", headers={"x-functions-key": "master-key"})).status_code,
            (await client.get("/api/pid")).status_code,
        ]
    assert statuses == [401, 401, 201, 201, 200]


async def test_a_timer_fires_at_start(start_host: StartHost) -> None:
    """`run_on_startup` fires the timer when the host starts."""
    async with start_host("--functions", "http") as host:
        assert await host.until(timer="fired") == [{"timer": "fired", "past_due": False}]


async def test_an_event_reaches_its_function(start_host: StartHost) -> None:
    """Event Grid's webhook answers the handshake and calls the function for each event of a batch."""
    handshake = [{"id": "0", "data": {"validationCode": "abc"}}]
    events = [
        {"id": number, "topic": "t", "subject": "s", "eventType": "e", "data": {"n": number}, "dataVersion": "1"}
        for number in ("1", "2")
    ]
    path = "/runtime/webhooks/EventGrid?functionName=arrived"
    async with start_host("--functions", "http") as host, httpx.AsyncClient(base_url=host.url) as client:
        validated = await client.post(path, json=handshake, headers={"aeg-event-type": "SubscriptionValidation"})
        delivered = await client.post(path, json=events, headers={"aeg-event-type": "Notification"})
        unknown = await client.post("/runtime/webhooks/EventGrid?functionName=nobody", json=events)
        seen = [event["data"] for event in host.happened() if "event" in event]
    assert validated.json() == {"validationResponse": "abc"}
    assert (delivered.status_code, unknown.status_code) == (202, 404)
    assert seen == [{"n": "1"}, {"n": "2"}]


async def test_a_running_request_is_answered_after_sigterm(start_host: StartHost) -> None:
    """SIGTERM during a request: the request is answered, then the process ends with status 0."""
    async with start_host("--functions", "http") as host, httpx.AsyncClient(base_url=host.url) as client:
        request = asyncio.create_task(client.get("/api/slow?seconds=1"))
        await host.until(slow="begun")
        os.kill(host.child.pid, signal.SIGTERM)
        assert (await request).text == "done"
        assert await host.child.wait() == 0


async def test_an_app_with_an_unknown_trigger_is_refused(tmp_path: Path) -> None:
    """What the host does not know is named at start; the host does not run a part of an app."""
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\n"
        "app = func.FunctionApp()\n"
        "@app.blob_trigger(arg_name='blob', path='a/b', connection='AzureWebJobsStorage')\n"
        "def on_blob(blob: func.InputStream) -> None: ...\n"
    )
    with pytest.raises(ChildError, match="on_blob: the local host does not know the trigger blobTrigger"):
        await Child.start(_host_on(tmp_path))


async def test_a_folder_without_an_app_is_refused(tmp_path: Path) -> None:
    """A folder that holds no function_app.py ends the host with a message that says so."""
    with pytest.raises(ChildError, match=r"there is no .*function_app\.py"):
        await Child.start(_host_on(tmp_path))


def _host_on(folder: Path) -> ChildSpec:
    command = (sys.executable, "-m", "devtools.functions_host", "--app", str(folder))
    return ChildSpec("host", command, folder / "host.log", os.environ, Path(__file__).parents[3])

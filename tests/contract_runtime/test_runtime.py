"""Our app, and our idea of the worker, against Microsoft's own Python runtime library."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]
_PYTHON = _ROOT / ".venv-runtime/bin/python"
_SAMPLE_APP = _ROOT / "tests/integration/functions_host/sample_app"

pytestmark = pytest.mark.skipif(
    not _PYTHON.exists(), reason="there is no .venv-runtime: make setup makes it where it finds a Python 3.13"
)


async def _session(folder: Path, *invocations: dict[str, Any], **settings: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(str(_PYTHON), str(Path(__file__).parent / "runtime_session.py"), str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **settings},
    )
    output, _ = await process.communicate(json.dumps(invocations).encode())
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def _text(value: str) -> dict[str, str]:
    return {"type": "string", "value": value}


def _request(method: str, path: str, *, body: str = "", **route: str) -> dict[str, Any]:
    """Give the value of an `httpTrigger` as the host sends it."""
    value = {
        "method": _text(method),
        "url": _text(f"http://localhost/api/{path}"),
        "headers": {"x-mixed": _text("Case")},
        "query": {"a": _text("1")},
        "params": {name: _text(text) for name, text in route.items()},
        "body": {"type": "bytes", "value": body},
    }
    return {"type": "http", "value": value}


async def test_the_runtime_indexes_every_function_of_the_app() -> None:
    """Nothing is refused, and the queue functions are bound to the queues that infra makes."""
    seen = await _session(_ROOT)
    assert (seen["status"], seen["error"]) == ("success", None)
    triggers = {name: next(b for b in bindings if b["type"].endswith("Trigger")) for name, bindings in _by_name(seen)}
    queues = {name: trigger for name, trigger in triggers.items() if trigger["type"] == "queueTrigger"}
    assert {name: trigger["queueName"] for name, trigger in queues.items()} == {
        "run_import": "imports",
        "take_poisoned": "imports-poison",
        "send_notice": "notices",
        "give_up_notice": "notices-poison",
        "take_event": "events",
    }
    assert {trigger["connection"] for trigger in queues.values()} == {"AzureWebJobsStorage"}
    assert (triggers["submit_import"]["route"], triggers["submit_import"]["methods"]) == ("imports", ["POST"])
    assert triggers["submit_import"]["authLevel"] == "FUNCTION"


async def test_an_http_function_of_the_app_answers() -> None:
    """The description of the API needs no settings; the runtime turns the answer into status, headers and body."""
    seen = await _session(_ROOT, {"function": "describe", "inputs": {"req": _request("GET", "openapi.json")}})
    [answer] = seen["answers"]
    assert (answer["ok"], answer["return"]["status_code"]) == (True, "200")
    assert answer["return"]["headers"]["content-type"] == "application/json"
    assert json.loads(answer["return"]["body"])["info"]["title"] == "Transload"


async def test_the_runtime_shows_a_function_the_same_request_as_the_local_host() -> None:
    """Method, lower-case headers, query, route parameters and body, as our own host's tests expect them."""
    request = _request("POST", "echo/one", body="hello", name="one")
    seen = await _session(_SAMPLE_APP, {"function": "echo", "inputs": {"req": request}})
    [answer] = seen["answers"]
    assert (answer["ok"], answer["return"]["status_code"]) == (True, "201")
    assert json.loads(answer["return"]["body"]) == {
        "method": "POST",
        "headers": {"x-mixed": "Case"},
        "params": {"a": "1"},
        "route": {"name": "one"},
        "body": "hello",
    }


async def test_a_queue_function_receives_its_message(tmp_path: Path) -> None:
    """The body, the id and the dequeue count reach the function; a function that raises is a failed invocation."""
    metadata = {"Id": _text("id-1"), "PopReceipt": _text("receipt"), "DequeueCount": {"type": "json", "value": "3"}}
    failing = json.dumps({"do": "fail"})
    seen = await _session(
        _SAMPLE_APP,
        {"function": "work", "inputs": {"message": _text("hello")}, "metadata": metadata},
        {"function": "work", "inputs": {"message": _text(failing)}, "metadata": metadata},
        SAMPLE_LOG=str(tmp_path / "notes"),
    )
    first, second = seen["answers"]
    assert (first["ok"], second["ok"]) == (True, False)
    notes = [json.loads(line) for line in (tmp_path / "notes").read_text().splitlines()]
    assert notes[0] == {"begun": "hello", "id": "id-1", "count": 3}
    assert notes[-1] == {"begun": failing, "id": "id-1", "count": 3}


async def test_a_function_without_trigger_fails_the_whole_app(tmp_path: Path) -> None:
    """One function that cannot be indexed leaves no function at all, which our own host imitates by not starting."""
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\n"
        "app = func.FunctionApp()\n"
        "@app.route('fine')\n"
        "def fine(req: func.HttpRequest) -> str: return 'fine'\n"
        "@app.function_name('lost')\n"
        "def lost() -> None: ...\n"
    )
    seen = await _session(tmp_path)
    assert seen["status"] == "failure"
    assert "lost" in seen["error"]


def _by_name(seen: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    return list(seen["functions"].items())

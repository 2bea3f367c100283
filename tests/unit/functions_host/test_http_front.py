"""The HTTP front, as an ASGI application without a socket."""

import asyncio
import threading
from collections.abc import Callable

import azure.functions as func
import httpx
import pytest

from devtools.functions_host.http_front import HttpFront
from devtools.functions_host.indexing import HttpTrigger, IndexedFunction
from devtools.functions_host.invocation import Invoker
from devtools.functions_host.keys import Keys


def _function(route: str, code: Callable[..., object], *methods: str, level: str = "anonymous") -> IndexedFunction:
    trigger = HttpTrigger(route, frozenset(methods) if methods else None, level)
    return IndexedFunction(route, "req", trigger, code)


def _client(
    *functions: IndexedFunction, keys: Keys | None = None, stop: asyncio.Event | None = None
) -> httpx.AsyncClient:
    front = HttpFront(functions, route_prefix="api", invoker=Invoker(None), keys=keys, stop=stop)
    return httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://host")


async def _seen(req: func.HttpRequest) -> func.HttpResponse:
    headers = {"X-Name": req.headers["x-name"], "Set-Cookie": "a=1"}
    body = f"{req.method} {req.params.get('a')} {req.get_body()!r} {dict(req.route_params)}"
    return func.HttpResponse(body, status_code=202, headers=headers)


async def test_a_request_reaches_its_function_and_the_answer_comes_back() -> None:
    """Method, query, body and route parameters go in; status, headers, cookies and text come out."""
    async with _client(_function("things/{id}", _seen)) as client:
        answer = await client.put("/api/things/a%20b?a=1&a=2", headers={"X-NAME": "v"})
    assert (answer.status_code, answer.text) == (202, "PUT 1,2 b'' {'id': 'a b'}")
    assert (answer.headers["x-name"], answer.headers["content-type"]) == ("v", "text/plain; charset=utf-8")
    assert answer.cookies["a"] == "1"


async def test_an_unknown_route_and_a_wrong_method_are_both_404() -> None:
    """The host never answers 405, and a HEAD is not a GET."""
    async with _client(_function("things", _seen, "GET")) as client:
        answers = [await client.get("/api/nothing"), await client.post("/api/things"), await client.head("/api/things")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_functions_of_one_route_are_told_apart_by_method() -> None:
    """Two functions may share a route."""

    async def reading(req: func.HttpRequest) -> str:
        return f"read by {req.method}"

    async def writing(req: func.HttpRequest) -> str:
        return f"written by {req.method}"

    functions = [_function("things", reading, "GET"), _function("things", writing, "POST")]
    async with _client(*functions) as client:
        assert (await client.get("/api/things")).text == "read by GET"
        assert (await client.post("/api/things")).text == "written by POST"


async def _raises(req: func.HttpRequest) -> str:
    raise ValueError(req.method)


async def _returns_nothing(req: func.HttpRequest) -> None:
    assert req.method


async def _returns_a_dict(req: func.HttpRequest) -> dict[str, str]:
    return {"method": req.method}


@pytest.mark.parametrize("code", [_raises, _returns_nothing, _returns_a_dict])
async def test_a_failed_function_is_a_500_with_an_empty_body(code: Callable[..., object]) -> None:
    """An exception, a None and what is no answer at all look the same from outside."""
    async with _client(_function("fails", code)) as client:
        answer = await client.get("/api/fails")
    assert (answer.status_code, answer.content) == (500, b"")


@pytest.mark.parametrize(
    ("level", "key", "status"),
    [
        ("anonymous", None, 200),
        ("function", None, 401),
        ("function", "wrong", 401),
        ("function", "host-key", 200),
        ("function", "master-key", 200),
        ("admin", "host-key", 401),
        ("admin", "master-key", 200),
    ],
)
async def test_a_key_opens_what_its_level_allows(level: str, key: str | None, status: int) -> None:
    """The host key opens functions, the master key everything."""

    async def fine(req: func.HttpRequest) -> str:
        return f"called by {req.method}"

    keys = Keys(host="host-key", master="master-key")
    async with _client(_function("f", fine, level=level), keys=keys) as client:
        answer = await client.get("/api/f", headers={"x-functions-key": key} if key else {})
    assert answer.status_code == status


async def test_nothing_is_accepted_while_draining() -> None:
    """After the stop a request is answered 503, and its function is not called."""
    stop = asyncio.Event()
    async with _client(_function("things", _seen), stop=stop) as client:
        stop.set()
        assert (await client.get("/api/things")).status_code == 503


async def test_an_invocation_that_exceeds_the_timeout_ends_the_process() -> None:
    """The watchdog calls what ends the process, even while the event loop is blocked."""
    ended = threading.Event()

    async def blocks(req: func.HttpRequest) -> str:
        assert req.method
        return str(ended.wait(30))

    front = HttpFront([_function("b", blocks)], route_prefix="api", invoker=Invoker(0.05, ended.set), keys=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://host") as client:
        assert (await client.get("/api/b")).text == "True"

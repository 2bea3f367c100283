"""Calls each HTTP function of the app as nobody and prints the answers; a program, because its process ends with it."""

import asyncio
import json
from typing import Any

import azure.functions as func

from function_app import app

_ROUTE = {
    "id": "0" * 19, "kind": "acr", "name": "team", "subscription": "0" * 8 + 3 * "-0000" + "-" + "0" * 12,
    "group": "g", "registry": "target",
}  # fmt: skip


async def _asked(function: Any, method: str) -> dict[str, object]:  # noqa: ANN401 (azure-functions' own)
    request = func.HttpRequest(
        method=method,
        url="https://app.example/api/x",
        headers={},
        params={"api-version": "2025-11-01"},
        route_params=_ROUTE,
        body=b"",
    )
    answer = await function(request)
    return {"status": answer.status_code, "headers": dict(answer.headers), "body": answer.get_body().decode()}


async def _all() -> list[dict[str, object]]:
    found = []
    for function in app.get_functions():
        bound = function.get_trigger()
        if bound is None or bound.get_binding_name() != "httpTrigger":
            continue
        trigger = json.loads(json.dumps(bound.get_dict_repr(), default=str))
        for method in trigger["methods"]:
            answer = await _asked(function.get_user_function(), str(method).rpartition(".")[2])
            found.append({"route": trigger["route"], "method": method, "level": trigger["authLevel"], **answer})
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_all())))  # noqa: T201 (a program)

"""Runs in `.venv-runtime`: lets Microsoft's Python runtime library index an app and invoke its functions.

`python runtime_session.py FOLDER` reads a JSON list of invocations from standard input, each
{"function": NAME, "inputs": {PARAMETER: {"type": …, "value": …}}, "metadata": {NAME: {"type": …, "value": …}}}, and
prints one JSON object: {"status": …, "error": …, "functions": {NAME: [BINDING, …]}, "answers": [{"ok": …, "return": …,
"error": …}, …]}.

`azure-functions-runtime` is what the platform's worker runs since Python 3.13. It builds its answers with the protobuf
classes that the worker hands it; plain objects take their place here. What is used of it (`handle_event`,
`native_invocation`) is no public API: its version is pinned exactly.
"""

import asyncio
import importlib
import json
import os
import sys
from types import SimpleNamespace
from typing import Any


class _StatusResult(SimpleNamespace):
    Failure, Success = "failure", "success"


class _BindingInfo(SimpleNamespace):
    out, inout = 1, 2  # the numbers of the enum Direction in FunctionRpc.proto


class _Protos:
    """Stands for the module of protobuf classes: every class just keeps what it is given."""

    StatusResult = _StatusResult
    BindingInfo = _BindingInfo

    def __getattr__(self, name: str) -> type[SimpleNamespace]:
        return SimpleNamespace


async def session(folder: str, invocations: list[dict[str, Any]]) -> dict[str, Any]:
    """Index the app in `folder`, then invoke one function after the other."""
    # by name: these packages are in .venv-runtime only, and the checks run in .venv
    runtime: Any = importlib.import_module("azure_functions_runtime")
    native: Any = importlib.import_module("azure_functions_runtime.native_invocation")
    datum: Any = importlib.import_module("azure_functions_runtime.bindings.datumdef").Datum

    init = SimpleNamespace(worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=folder))
    runtime.start_threadpool_executor()
    started = await runtime.worker_init_request(
        SimpleNamespace(request=init, properties={"host": "127.0.0.1", "protos": _Protos()})
    )
    if started.result.status != _StatusResult.Success:
        return {"status": started.result.status, "error": started.result.exception.message}
    found = (await runtime.functions_metadata_request(SimpleNamespace())).function_metadata_results
    identifiers = {function.name: function.function_id for function in found}

    def decoded(value: Any) -> Any:  # noqa: ANN401 (the runtime's own class is untyped)
        """Build the runtime's Datum; an http value holds further ones."""
        if value["type"] != "http":
            content = value["value"]
            return datum(content.encode() if value["type"] == "bytes" else content, value["type"])
        parts = {
            name: decoded(part) if "type" in part else {key: decoded(inner) for key, inner in part.items()}
            for name, part in value["value"].items()
        }
        return datum(parts, "http")

    answers = []
    for number, invocation in enumerate(invocations):
        ok, returned, _, error, _ = await native.invocation_request_native(
            f"invocation-{number}",
            identifiers[invocation["function"]],
            [(name, decoded(value)) for name, value in invocation["inputs"].items()],
            {name: decoded(value) for name, value in invocation.get("metadata", {}).items()},
        )
        answers.append({"ok": ok, "return": _plain(returned), "error": error})
    functions = {function.name: [json.loads(binding) for binding in function.raw_bindings] for function in found}
    return {"status": started.result.status, "error": None, "functions": functions, "answers": answers}


def _plain(value: Any) -> Any:  # noqa: ANN401 (the runtime's own class is untyped)
    """Turn a Datum, and all that is in it, into JSON."""
    if hasattr(value, "type") and hasattr(value, "value"):
        return _plain(value.value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.decode() if isinstance(value, bytes) else value


if __name__ == "__main__":
    app_folder = os.path.abspath(sys.argv[1])  # noqa: PTH100 (the runtime joins it as a string)
    sys.path.insert(0, app_folder)
    result = asyncio.run(session(app_folder, json.load(sys.stdin)))
    print(json.dumps(result))  # noqa: T201 (its output)

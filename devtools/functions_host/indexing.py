"""Indexes a function app: imports `function_app.py` and reads its functions through azure-functions' own metadata.

As on the real host, one function that cannot be indexed means that the whole app does not start.
"""

import asyncio
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func

from devtools.functions_host.app_settings import AppSettings

_SCRIPT = "function_app.py"


class IndexingError(Exception):
    """The app cannot be indexed; the message names the function and the reason."""


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """`httpTrigger`: `methods` is None where every method is answered."""

    route: str
    methods: frozenset[str] | None
    auth_level: str


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """`queueTrigger`."""

    queue: str
    connection: str


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """`timerTrigger`: `schedule` is an NCRONTAB expression of six fields."""

    schedule: str
    run_on_startup: bool


@dataclass(frozen=True, slots=True)
class EventGridTrigger:
    """`eventGridTrigger`."""


TriggerKind = HttpTrigger | QueueTrigger | TimerTrigger | EventGridTrigger


@dataclass(frozen=True, slots=True)
class IndexedFunction:
    """One function of the app: how it is triggered, and the code behind it."""

    name: str
    argument: str
    trigger: TriggerKind
    code: Callable[..., Any]

    @property
    def is_async(self) -> bool:
        """Whether it runs on the event loop (`async def`) rather than in the thread pool."""
        return asyncio.iscoroutinefunction(self.code)


def index_app(folder: Path, settings: AppSettings) -> tuple[IndexedFunction, ...]:
    """Import the app in `folder` and index its functions.

    Raises:
        IndexingError: There is no app, it cannot be imported, or a function uses what this host does not know.
    """
    script = folder / _SCRIPT
    if not script.is_file():
        raise IndexingError(f"there is no {script}")
    # The worker puts the app's folder first, and no other.
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location("function_app", script)
    if spec is None or spec.loader is None:
        raise IndexingError(f"{script} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules["function_app"] = module
    spec.loader.exec_module(module)
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionApp)]
    if len(apps) != 1:
        raise IndexingError(f"{script} must hold exactly one FunctionApp, but holds {len(apps)}")
    # get_functions() may be called once for each app: a second call finds every name taken
    return tuple(_indexed(function, settings) for function in apps[0].get_functions())


def _indexed(function: Any, settings: AppSettings) -> IndexedFunction:  # noqa: ANN401 (the SDK's own class is untyped)
    name = str(function.get_function_name())
    trigger = function.get_trigger()
    outputs = [binding.type for binding in function.get_bindings() if binding is not trigger]
    unknown = [kind for kind in outputs if kind != "http"]
    if unknown or function.get_settings_dict("retry_policy"):
        raise IndexingError(f"{name}: the local host does not know {', '.join(unknown) or 'retry policies'}")
    code = function.get_user_function()
    if list(inspect.signature(code).parameters) != [trigger.name]:
        raise IndexingError(f"{name}: must take exactly one parameter, '{trigger.name}', its trigger's binding")
    return IndexedFunction(name, trigger.name, _trigger(name, trigger.get_dict_repr(), settings), code)


def _trigger(name: str, binding: dict[str, Any], settings: AppSettings) -> TriggerKind:
    match binding["type"]:
        case "httpTrigger":
            methods = binding.get("methods")
            return HttpTrigger(
                route=settings.expanded(binding["route"]).strip("/"),
                methods=frozenset(str(method).upper() for method in methods) if methods else None,
                auth_level=str(binding["authLevel"]).lower(),
            )
        case "queueTrigger":
            return QueueTrigger(queue=settings.expanded(binding["queueName"]), connection=binding["connection"])
        case "timerTrigger":
            return TimerTrigger(settings.expanded(binding["schedule"]), bool(binding.get("runOnStartup")))
        case "eventGridTrigger":
            return EventGridTrigger()
        case other:
            raise IndexingError(f"{name}: the local host does not know the trigger {other}")

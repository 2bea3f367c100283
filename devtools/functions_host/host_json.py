"""host.json, with the app settings that override it (`AzureFunctionsJobHost__…`).

Defaults and limits are those of the host (ScriptJobHostOptionsSetup) and of the storage extension (QueuesOptions);
times are in seconds.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_OVERRIDE = "azurefunctionsjobhost__"
_TIME_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2}):(?P<seconds>\d{1,2}(?:\.\d+)?)")


def parse_time_span(text: str) -> float:
    """Read a .NET TimeSpan: `[d.]hh:mm:ss[.fraction]`.

    Returns:
        Seconds.

    Raises:
        ValueError: It is not a time span.
    """
    match = _TIME_SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a time span such as 00:00:30")
    days, hours, minutes, seconds = (float(part or 0) for part in match.group("days", "hours", "minutes", "seconds"))
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _timeout(text: object) -> object:
    """`functionTimeout` may be -1: no limit."""
    if str(text).startswith("-1"):
        return None
    return parse_time_span(text) if isinstance(text, str) else text


TimeSpan = Annotated[float, BeforeValidator(lambda value: parse_time_span(value) if isinstance(value, str) else value)]


class _Section(BaseModel):
    # keys are compared as .NET's configuration compares them: without regard to case
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=lambda name: name.replace("_", ""))


class QueuesSection(_Section):
    """`extensions.queues`."""

    batch_size: Annotated[int, Field(ge=1, le=32)] = 16
    new_batch_threshold: Annotated[int, Field(ge=0)] | None = None
    max_dequeue_count: Annotated[int, Field(ge=1)] = 5
    visibility_timeout: TimeSpan = 0.0
    max_polling_interval: Annotated[TimeSpan, Field(ge=0.1)] = 60.0
    message_encoding: Literal["base64", "none"] = "base64"

    @property
    def refill_at(self) -> int:
        """How many messages may still be in flight when the next batch is fetched."""
        if self.new_batch_threshold is not None:
            return self.new_batch_threshold
        return self.batch_size // 2 * (os.cpu_count() or 1)


class HttpSection(_Section):
    """`extensions.http`."""

    route_prefix: str = "api"


class Extensions(_Section):
    """`extensions`."""

    http: HttpSection = HttpSection()
    queues: QueuesSection = QueuesSection()


class LogLevels(_Section):
    """`logging.logLevel`."""

    default: str = "Information"


class Logging(_Section):
    """`logging`."""

    log_level: LogLevels = LogLevels()


class HostJson(_Section):
    """What this host uses of host.json."""

    function_timeout: Annotated[float | None, BeforeValidator(_timeout)] = 1800.0
    extensions: Extensions = Extensions()
    logging: Logging = Logging()


def load_host_json(folder: Path, environment: Mapping[str, str]) -> HostJson:
    """Read host.json and lay the overriding app settings over it.

    Args:
        folder: The app's directory; a missing host.json means defaults.
        environment: App settings; `AzureFunctionsJobHost__extensions__queues__batchSize=2` overrides that value.

    Raises:
        ValueError: host.json is not JSON, or a value is out of its limits (pydantic's ValidationError is one).
    """
    path = folder / "host.json"
    tree: dict[str, Any] = _lower_keys(json.loads(path.read_text("utf-8"))) if path.exists() else {}
    for name, value in environment.items():
        if name.lower().startswith(_OVERRIDE):
            *sections, key = name.lower().removeprefix(_OVERRIDE).split("__")
            section = tree
            for part in sections:
                section = section.setdefault(part, {})
            section[key] = value
    return HostJson.model_validate(tree)


def _lower_keys(value: Any) -> Any:  # noqa: ANN401 (JSON has no better type)
    if isinstance(value, dict):
        return {key.lower(): _lower_keys(inner) for key, inner in value.items()}
    return value

"""host.json: defaults, time spans, limits and overriding app settings."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtools.functions_host.host_json import load_host_json, parse_time_span


def test_without_a_file_the_hosts_defaults_hold(tmp_path: Path) -> None:
    """A missing host.json means the documented defaults of the host and the extension."""
    host = load_host_json(tmp_path, {})
    queues = host.extensions.queues
    assert (host.function_timeout, host.extensions.http.route_prefix) == (1800, "api")
    assert (queues.batch_size, queues.max_dequeue_count, queues.visibility_timeout) == (16, 5, 0)
    assert (queues.max_polling_interval, queues.message_encoding) == (60, "base64")
    assert queues.refill_at >= 8


def test_an_app_setting_wins_over_the_file(tmp_path: Path) -> None:
    """`AzureFunctionsJobHost__…` overrides a value, whatever the case of its letters."""
    (tmp_path / "host.json").write_text(
        json.dumps({"extensions": {"queues": {"batchSize": 4, "newBatchThreshold": 0}}})
    )
    settings = {
        "AzureFunctionsJobHost__extensions__queues__batchsize": "2",
        "AZUREFUNCTIONSJOBHOST__extensions__http__routePrefix": "v2",
        "AzureFunctionsJobHost__functionTimeout": "00:00:05",
    }
    host = load_host_json(tmp_path, settings)
    assert (host.extensions.queues.batch_size, host.extensions.queues.refill_at) == (2, 0)
    assert (host.extensions.http.route_prefix, host.function_timeout) == ("v2", 5)


def test_the_timeout_may_be_unlimited(tmp_path: Path) -> None:
    """-1 means no limit."""
    (tmp_path / "host.json").write_text('{"functionTimeout": "-1"}')
    assert load_host_json(tmp_path, {}).function_timeout is None


@pytest.mark.parametrize(
    "queues", [{"batchSize": 33}, {"batchSize": 0}, {"maxPollingInterval": "5"}, {"messageEncoding": "hex"}]
)
def test_a_value_out_of_its_limits_is_refused(tmp_path: Path, queues: dict[str, object]) -> None:
    """The real host does not start with such a value either."""
    (tmp_path / "host.json").write_text(json.dumps({"extensions": {"queues": queues}}))
    with pytest.raises(ValueError, match=next(iter(queues)).lower()):
        load_host_json(tmp_path, {})


@given(st.integers(0, 9), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_time_spans_are_days_hours_minutes_seconds(days: int, hours: int, minutes: int, seconds: int) -> None:
    """A .NET TimeSpan is read into seconds."""
    text = f"{days}.{hours:02}:{minutes:02}:{seconds:02}.5"
    assert parse_time_span(text) == ((days * 24 + hours) * 60 + minutes) * 60 + seconds + 0.5

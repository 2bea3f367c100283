"""The files that are deployed beside the code agree with it."""

import json
from pathlib import Path

from importcore.settings.model import Settings

ROOT = Path(__file__).parents[3]
HOST = json.loads((ROOT / "host.json").read_text())
SAMPLE = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]


def test_a_time_slice_ends_a_minute_before_the_platform_would_end_it() -> None:
    """`functionTimeout` leaves a run sixty seconds to finish its chunk and hand over."""
    hours, minutes, seconds = map(int, HOST["functionTimeout"].split(":"))
    assert Settings.from_environment(SAMPLE).slice_seconds == hours * 3600 + minutes * 60 + seconds - 60


def test_the_host_reads_messages_as_the_queue_writes_them() -> None:
    """Both ends use base64; the next message is fetched as soon as one of four is done."""
    queues = HOST["extensions"]["queues"]
    assert (queues["messageEncoding"], queues["batchSize"], queues["newBatchThreshold"]) == ("base64", 1, 3)


def test_the_sample_settings_are_complete() -> None:
    """`local.settings.sample.json` works as it is, with registries on this machine."""
    settings = Settings.from_environment(SAMPLE)
    assert settings.allowed_targets == ("127.0.0.1:5001",)
    assert all(settings.host(host).plain_http for host in ("127.0.0.1:5000", "127.0.0.1:5001"))


def test_nothing_of_the_workshop_is_deployed() -> None:
    """`.funcignore` leaves out what only developers need, and nothing that the app needs."""
    ignored = {line.rstrip("/") for line in (ROOT / ".funcignore").read_text().splitlines()}
    assert {"devtools", "tests", "bench", "node_modules", "local.settings.json", ".*"} <= ignored
    assert not {"importcore", "function_app.py", "host.json", "requirements.txt"} & ignored

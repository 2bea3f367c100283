"""host.json and the sample of local.settings.json are what their published schemas allow."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.infra.conftest import ROOT

Script = Callable[..., Awaitable[list[str]]]


@pytest.mark.parametrize(
    ("file", "schema"), [("host.json", "host.json"), ("local.settings.sample.json", "local.settings.json")]
)
async def test_a_file_follows_its_schema(script: Script, file: str, schema: str) -> None:
    """What the host reads has the names and types that it knows."""
    assert await script("published_schemas.py", str(ROOT / file), schema) == []


async def test_the_schema_of_host_json_refuses_what_it_does_not_know(script: Script, tmp_path: Path) -> None:
    """A wrong value is named by its place: the schema is really asked."""
    host = json.loads((ROOT / "host.json").read_text())
    host["extensions"]["queues"]["batchSize"] = "many"
    wrong = tmp_path / "host.json"
    wrong.write_text(json.dumps(host))
    assert await script("published_schemas.py", str(wrong), "host.json")

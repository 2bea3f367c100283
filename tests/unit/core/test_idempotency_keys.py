"""A caller's `Idempotency-Key`: the first record for whoever repeats it, and nothing for anybody else."""

import pytest

from devtools.clockwork import CONNECTION_STRING, ClockworkAccount, ClockworkTransport
from devtools.rehearsal import app_settings
from importcore.caller import Caller
from importcore.errors import ImportConflictError
from importcore.intake import Intake
from importcore.request.model import read_import_request
from importcore.wiring import build

ANNA, BEN = (Caller(f"entra:{name}", frozenset({f"object:{name}"})) for name in ("anna", "ben"))
APP, OTHER = (
    read_import_request(f'{{"source": "source.example/{name}:1"}}'.encode(), default_target="target.example")
    for name in ("app", "other")
)


def intake() -> Intake:
    """The way in of an app with a storage account of its own."""
    storage = ClockworkTransport(ClockworkAccount())
    settings = app_settings(CONNECTION_STRING, "target.example", {})
    return build(settings, storage_options={"transport": storage}).intake


async def test_a_key_is_the_callers_own() -> None:
    """The same key of two callers is two keys: another's record answers nobody, and is in nobody's way."""
    way_in = intake()
    annas = await way_in.submit(APP, ANNA, idempotency_key="k")

    assert (await way_in.submit(APP, ANNA, idempotency_key="k")).id == annas.id
    assert (await way_in.submit(APP, BEN, idempotency_key="k")).id != annas.id
    assert (await way_in.submit(OTHER, BEN, idempotency_key="l")).id != annas.id


async def test_a_key_stands_for_one_request() -> None:
    """Another import under the same key is a mistake, and is not answered with the first one."""
    way_in = intake()
    await way_in.submit(APP, ANNA, idempotency_key="k")

    with pytest.raises(ImportConflictError, match="was used for another import"):
        await way_in.submit(OTHER, ANNA, idempotency_key="k")

"""A policy that changes while an import waits in the queue: each run asks it again; on a real Azurite."""

import pytest

from devtools.sample_images import image, layer
from devtools.ship import Ship

pytestmark = pytest.mark.asyncio(loop_scope="session")

POLICY = 'version: 1\ncallers: [{name: keys, who: [function-key], import: [{from: ["**"], to: ["%s"]}]}]\n'


@pytest.mark.parametrize(
    ("later", "ends"),
    [(POLICY % "**", "Succeeded"), (POLICY % "**/elsewhere", "not_allowed"), ("version: 1", "Succeeded")],
)
async def test_what_was_taken_away_meanwhile_is_not_brought(storage: str, later: str, ends: str) -> None:
    """Nothing is written where the route is gone; a policy that still allows it lets it through."""
    async with Ship.sails(storage, None, None, TRANSLOAD_POLICY=POLICY % "**") as ship:
        await ship.push(image([layer(2_000)]))
        waiting = await ship.app.submitted({"source": f"{ship.source}/app:1", "target": f"{ship.target}/app:1"})
        await ship.app.with_settings(TRANSLOAD_POLICY=later).work_off()
        record = await ship.app.record(waiting)

        assert (record["error"]["code"] if record["error"] else record["status"]) == ends
        assert bool(ship.target_emulator.state()["repositories"]) is (ends == "Succeeded")

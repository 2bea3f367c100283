"""The checkpoint: it comes back as it was, fits into a queue message, and shows no Location."""

import json

import pytest

from importcore.errors import ConfigurationError, ContentError
from importcore.sealing import Sealer
from importcore.state.checkpoint import BYTES_AT_MOST, Checkpoint, UploadState

SEALER = Sealer((("k1", b"\x01" * 32),))


def upload(number: int, *, offset: int = 0, location: str = "https://r.example/v2/u?_state=secret") -> UploadState:
    """An open upload session; `number` makes its digest."""
    return UploadState(f"sha256:{number:064x}", "team/app", location, offset)


def test_open_uploads_come_back() -> None:
    """Another process reads what this one wrote, furthest first."""
    checkpoint = Checkpoint((upload(1, offset=5), upload(2, offset=7)))

    read = Checkpoint.from_json(json.loads(json.dumps(checkpoint.to_json(SEALER, "one"))), SEALER, "one")

    assert set(read.uploads) == set(checkpoint.uploads)


def test_no_open_uploads_need_no_key() -> None:
    """An empty checkpoint survives even the loss of the keys."""
    written = Checkpoint().to_json(SEALER, "one")

    assert Checkpoint.from_json(written, Sealer((("k2", b"\x02" * 32),)), "one") == Checkpoint()


def test_a_location_never_stands_there_in_clear() -> None:
    """It can carry signed state."""
    written = json.dumps(Checkpoint((upload(1),)).to_json(SEALER, "one"))

    assert "secret" not in written
    assert "r.example" not in written
    assert "secret" not in repr(upload(1))


def test_five_thousand_uploads_still_fit_and_the_furthest_are_kept() -> None:
    """Whatever does not fit starts again, so those that got furthest are worth keeping most."""
    uploads = tuple(upload(number, offset=number * 7919 % 5000) for number in range(5000))

    written = Checkpoint(uploads).to_json(SEALER, "one")
    kept = Checkpoint.from_json(written, SEALER, "one").uploads

    assert len(json.dumps(written)) <= BYTES_AT_MOST + 100
    assert len(kept) > 100
    assert sorted(u.offset for u in kept) == list(range(5000 - len(kept), 5000))


def test_a_full_checkpoint_is_sealed_once() -> None:
    """Not again for every upload that is left out: the event loop would stand still meanwhile."""

    class Counting(Sealer):
        seals = 0

        def seal(self, secret: bytes, import_id: str) -> str:
            self.seals += 1
            return super().seal(secret, import_id)

    sealer = Counting((("k1", b"\x01" * 32),))

    written = Checkpoint(tuple(upload(number, offset=number) for number in range(1000))).to_json(sealer, "one")

    assert len(Checkpoint.from_json(written, SEALER, "one").uploads) < 1000
    assert sealer.seals == 1


def test_long_locations_never_make_it_too_large() -> None:
    """Locations of 4 KiB are kept as far as they fit."""
    uploads = tuple(upload(number, offset=number, location="https://r.example/" + "s" * 4000) for number in range(50))

    written = Checkpoint(uploads).to_json(SEALER, "one")
    kept = Checkpoint.from_json(written, SEALER, "one").uploads

    assert len(json.dumps(written)) <= BYTES_AT_MOST + 100
    assert kept[0].offset == 49
    assert len(kept) >= 5


def test_one_endless_location_does_not_cost_the_others() -> None:
    """A session whose Location fits into no message starts again; the rest goes on."""
    endless = upload(1, offset=9, location="https://r.example/" + "s" * 100_000)

    written = Checkpoint((endless, upload(2))).to_json(SEALER, "one")

    assert Checkpoint.from_json(written, SEALER, "one").uploads == (upload(2),)


@pytest.mark.parametrize("value", [None, 5, [], {}, {"v": 2, "uploads": ""}, {"v": 1}, {"v": 1, "uploads": 5}])
def test_what_is_no_checkpoint_of_this_version_is_refused(value: object) -> None:
    """A newer version may mean something else by the same fields."""
    with pytest.raises(ContentError, match="version 1"):
        Checkpoint.from_json(value, SEALER, "one")


def test_another_imports_checkpoint_does_not_open() -> None:
    """A body that was copied between messages is of no use."""
    written = Checkpoint((upload(1),)).to_json(SEALER, "one")

    with pytest.raises(ConfigurationError, match="does not open"):
        Checkpoint.from_json(written, SEALER, "two")

"""Sealing: a secret opens for its own import with a key that is still there, and for nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.errors import ConfigurationError
from importcore.sealing import Sealer

OLD, NEW = ("old", b"\x01" * 32), ("new", b"\x02" * 32)


@given(secret=st.binary(max_size=200), import_id=st.text(alphabet="0123456789abcdef", max_size=19))
def test_what_was_sealed_opens(secret: bytes, import_id: str) -> None:
    """Any bytes come back as they were."""
    sealer = Sealer((NEW,))

    assert sealer.open(sealer.seal(secret, import_id), import_id) == secret


def test_a_sealed_text_does_not_show_its_secret() -> None:
    """Neither in clear nor as the same text twice, which would tell that two secrets are the same."""
    sealer = Sealer((NEW,))

    first, second = sealer.seal(b"hunter2", "one"), sealer.seal(b"hunter2", "one")

    assert "hunter2" not in first
    assert first != second


def test_a_sealed_text_does_not_open_in_another_import() -> None:
    """Copying it into another record is of no use."""
    sealer = Sealer((NEW,))

    with pytest.raises(ConfigurationError, match="does not open"):
        sealer.open(sealer.seal(b"hunter2", "one"), "two")


@pytest.mark.parametrize("altered", ["new.", "new.AAAA", "new.%%%", "new.é", "new." + "A" * 64, "new"])
def test_an_altered_text_does_not_open(altered: str) -> None:
    """Cut off, scribbled over or made up: an error of the tree, not of the cipher."""
    with pytest.raises(ConfigurationError, match="does not open"):
        Sealer((NEW,)).open(altered, "one")


def test_one_flipped_bit_is_enough() -> None:
    """The seal covers every byte."""
    sealer = Sealer((NEW,))
    sealed = sealer.seal(b"hunter2", "one")
    position = len(sealed) // 2
    flipped = sealed[:position] + ("A" if sealed[position] != "A" else "B") + sealed[position + 1 :]

    with pytest.raises(ConfigurationError, match="does not open"):
        sealer.open(flipped, "one")


def test_a_rotated_key_still_opens_what_it_sealed() -> None:
    """The first key seals, every key opens."""
    sealed_before = Sealer((OLD,)).seal(b"hunter2", "one")
    rotated = Sealer((NEW, OLD))

    assert rotated.open(sealed_before, "one") == b"hunter2"
    assert rotated.seal(b"hunter2", "one").startswith("new.")


def test_a_key_that_was_taken_away_is_named() -> None:
    """The error says which key to put back, and does not repeat the sealed text."""
    sealed = Sealer((OLD,)).seal(b"hunter2", "one")

    with pytest.raises(ConfigurationError, match="'old'") as caught:
        Sealer((NEW,)).open(sealed, "one")

    assert "Put the former key back" in caught.value.action
    assert sealed not in caught.value.message


def test_the_same_name_with_other_bytes_is_another_key() -> None:
    """A key whose bytes were replaced under its old name opens nothing."""
    sealed = Sealer((OLD,)).seal(b"hunter2", "one")

    with pytest.raises(ConfigurationError, match="the key's bytes changed"):
        Sealer((("old", NEW[1]),)).open(sealed, "one")

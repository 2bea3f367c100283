"""The name under which an overwritten image stays reachable."""

import pytest

from importcore.request.backup_tag import fill_in

STOOD_ON = "sha256:0123456789abcdef" + "0" * 48


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{tag}-{digest8}", "1.2-01234567"),
        ("backup-{digest8}", "backup-01234567"),
        ("{digest8}.{tag}.{digest8}", "01234567.1.2.01234567"),
        ("{tag}-{Digest8}-{other}", "1.2-{Digest8}-{other}"),
        ("kept", "kept"),
    ],
)
def test_a_template_is_filled_in(template: str, name: str) -> None:
    """With the overwritten tag and the beginning of the digest it stood on; anything else stays as it is."""
    assert fill_in(template, "1.2", STOOD_ON) == name


def test_the_digests_algorithm_is_no_part_of_the_name() -> None:
    """A tag cannot have a colon in it."""
    assert fill_in("{digest8}", "1", "sha512:" + "ab" * 64) == "abababab"

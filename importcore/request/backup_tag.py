"""The name under which an overwritten image stays reachable."""

from collections.abc import Iterable

from importcore.reference import is_tag

_SAMPLE_DIGEST = "sha256:" + 64 * "0"


def fill_in(template: str, tag: str, digest: str) -> str:
    """Fill a backup tag's template in: `{tag}` is the overwritten tag, `{digest8}` what it stood on, in short."""
    return template.replace("{tag}", tag).replace("{digest8}", digest.partition(":")[2][:8])


def backup_tag_problem(template: str, tags: Iterable[str] = ()) -> str | None:
    """Say what is wrong with a backup tag's template; None where nothing is.

    Args:
        template: As it was written.
        tags: The tags that it will be filled in with, where they are known.
    """
    names = [fill_in(template, tag, _SAMPLE_DIGEST) for tag in ("tag", *tags)]
    if "{digest8}" in template and all(map(is_tag, names)):
        return None
    return "must be a tag with {digest8} in it, and may have {tag}; for example {tag}-{digest8}"

"""The name under which an overwritten image stays reachable."""


def fill_in(template: str, tag: str, digest: str) -> str:
    """Fill a backup tag's template in: `{tag}` is the overwritten tag, `{digest8}` what it stood on, in short."""
    return template.replace("{tag}", tag).replace("{digest8}", digest.partition(":")[2][:8])

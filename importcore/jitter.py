"""The wait before another try: within a blob (`phases/`), in the queue (`run/`), and for a notice (`notices/`).

How waits grow and when they end is theirs to say. Half of each is left to chance, so that those who failed together do
not come back together.
"""

import random


def jittered(longest: float, asked: float | None) -> float:
    """Give a wait in seconds: between half of `longest` and all of it, and never less than the other side asked for."""
    return max(asked or 0.0, random.uniform(longest / 2, longest))  # noqa: S311 (chance, no secret)

"""Random faults for a registry: one every few requests, of every kind that passes."""

import random
from typing import Any

_SOFT: tuple[dict[str, Any], ...] = (
    {"kind": "answer", "status": 500},
    {"kind": "answer", "status": 502},
    {"kind": "answer", "status": 503, "headers": {"Retry-After": "1"}},
    {"kind": "answer", "status": 429, "headers": {"Retry-After": "1"}},
    {"kind": "answer", "status": 503, "phase": "after"},
    {"kind": "drop"},
    {"kind": "drop", "phase": "after"},
    {"kind": "drop", "after_request_bytes": 20_000},
    {"kind": "drop", "after_response_bytes": 10_000},
    {"kind": "delay", "seconds": 1.0},
    {"kind": "ignore_range"},
)
_OF_BLOBS: tuple[dict[str, Any], ...] = ({"kind": "truncate", "to": 5_000}, {"kind": "corrupt", "at": 7_000})
"""Damaged content; only on blobs, where the damage is of the kind that a second reading mends."""


def rain(rounds: int, every: int, dice: random.Random) -> list[dict[str, Any]]:
    """Make fault rules for the emulated registry, to be spent one after the other.

    Args:
        rounds: How many faults there are.
        every: How many requests pass between two of them, on average.
        dice: Where the chances come from, so that a run can be repeated.
    """
    rules: list[dict[str, Any]] = []
    at = 0
    for _ in range(rounds):
        at += dice.randint(1, 2 * every)
        rules.append({"path": "^/v2/", "skip": at, "times": 1, "action": dice.choice(_SOFT)})
    at = 0
    for _ in range(rounds // 8):
        at += dice.randint(1, 2 * every)
        rules.append({"method": "GET", "path": "/blobs/sha256", "skip": at, "action": dice.choice(_OF_BLOBS)})
    return rules

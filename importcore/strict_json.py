"""Reading JSON that came from outside: what two readers could understand differently is refused.

RFC 8259 leaves names that come twice to each reader, and knows UTF-8 alone and no NaN; Python's reader takes them all.
"""

import json
from typing import Any, NoReturn

DEPTH_AT_MOST = 100
"""Far below what Python's own reader takes, which depends on who calls it: what was read once can be read again."""


def decode_json(body: bytes | str) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """Decode one JSON value.

    Raises:
        ValueError: It is no JSON in UTF-8, is nested too deep, names a field twice, or holds NaN or Infinity.
    """
    try:
        text = body if isinstance(body, str) else body.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_object_without_duplicates, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    _require_shallow(value)
    return value


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object names a field twice")
    return value


def _require_shallow(value: object) -> None:
    level = [value]
    for _ in range(DEPTH_AT_MOST):
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list)))
        level = [one for several in inner for one in several if isinstance(one, (dict, list))]
        if not level:
            return
    raise ValueError("it is nested too deep")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")

"""The fault script: which requests go wrong, how often, and how.

Rules are tried in order. Every rule that matches a request counts it; after `skip` matches it fires `times` times.
Of the rules that fire, all that only disturb are applied together; the first that ends the exchange is the last.
`faulty_wire.py` carries them out. The same JSON goes through `POST /_emulator/faults`.
"""

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Phase(StrEnum):
    """Whether the registry carries the request out before it answers falsely."""

    BEFORE = "before"
    AFTER = "after"


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(_Action):
    """Answer something else; in phase "after" the request has had its effect."""

    kind: Literal["answer"] = "answer"
    phase: Phase = Phase.BEFORE
    status: int
    headers: dict[str, str] = Field(default_factory=dict)
    body: str = ""


class Echo(_Action):
    """Refuse, and repeat in the error's message what was sent: the Authorization, decoded, too, and a form."""

    kind: Literal["echo"] = "echo"
    status: int


class Drop(_Action):
    """Hang up: without any effect, after the effect, or in the middle of a body (then `phase` says nothing)."""

    kind: Literal["drop"] = "drop"
    phase: Phase = Phase.BEFORE
    after_request_bytes: int | None = None
    after_response_bytes: int | None = None


class Stall(_Action):
    """Let nothing move any more within a body, for `seconds`; then hang up.

    With `after_request_bytes` nothing more of the request is read, with `after_response_bytes` nothing more of the
    answer is sent.
    """

    kind: Literal["stall"] = "stall"
    after_request_bytes: int | None = None
    after_response_bytes: int | None = None
    seconds: float


class LieOnHead(_Action):
    """Answer a HEAD with the contrary of the truth: `exists` true is 200 with this `size`, false is 404."""

    kind: Literal["lie_on_head"] = "lie_on_head"
    exists: bool
    size: int = 1


class AlterHeaders(_Action):
    """Answer truly, but with these headers in place of the true ones."""

    kind: Literal["alter_headers"] = "alter_headers"
    headers: dict[str, str]


class Relocate(_Action):
    """Answer truly, but with a Location on another origin, as "http://127.0.0.1:5003"."""

    kind: Literal["relocate"] = "relocate"
    origin: str


class Delay(_Action):
    """Wait before the request is looked at, in seconds."""

    kind: Literal["delay"] = "delay"
    seconds: float


class Throttle(_Action):
    """Let the bodies pass at this many bytes per second, in both directions."""

    kind: Literal["throttle"] = "throttle"
    bytes_per_second: int


class Truncate(_Action):
    """Cut the answer's body after `to` bytes, with a Content-Length that agrees."""

    kind: Literal["truncate"] = "truncate"
    to: int


class Corrupt(_Action):
    """Flip the bits of the answer's byte at this offset; lengths and headers stay true."""

    kind: Literal["corrupt"] = "corrupt"
    at: int = 0


class IgnoreRange(_Action):
    """Act as if the request had no Range header: 200 with the whole."""

    kind: Literal["ignore_range"] = "ignore_range"


Action = Annotated[
    Answer
    | Echo
    | Drop
    | Stall
    | LieOnHead
    | AlterHeaders
    | Relocate
    | Delay
    | Throttle
    | Truncate
    | Corrupt
    | IgnoreRange,
    Field(discriminator="kind"),
]


class FaultRule(BaseModel):
    """One line of the script.

    Attributes:
        method: The request's method; None is any.
        path: A regular expression that is searched for in the path (without the query).
        skip: How many matches pass untouched first.
        times: How many matches go wrong then; None is all.
        action: What goes wrong.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str | None = None
    path: str = ""
    skip: int = 0
    times: int | None = 1
    action: Action

    def matches(self, method: str, path: str) -> bool:
        """Whether the rule speaks of such a request."""
        return self.method in {None, method} and re.search(self.path, path) is not None


class FaultScript:
    """The rules of one emulator and how often each has matched."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []
        self._matches: list[int] = []

    def add(self, rule: FaultRule) -> None:
        """Append a rule."""
        self._rules.append(rule)
        self._matches.append(0)

    def clear(self) -> None:
        """Forget all rules."""
        self._rules.clear()
        self._matches.clear()

    def fired(self) -> list[int]:
        """How often each rule has gone off, in the order of the rules."""
        return [
            min(max(matches - rule.skip, 0), matches if rule.times is None else rule.times)
            for rule, matches in zip(self._rules, self._matches, strict=True)
        ]

    def rules(self) -> list[FaultRule]:
        """The rules in order."""
        return list(self._rules)

    def take(self, method: str, path: str) -> list[Action]:
        """Count a request and say what goes wrong with it; an action that ends the exchange is the last."""
        actions: list[Action] = []
        for position, rule in enumerate(self._rules):
            if not rule.matches(method, path):
                continue
            number = self._matches[position]
            self._matches[position] += 1
            if number < rule.skip or (rule.times is not None and number >= rule.skip + rule.times):
                continue
            actions.append(rule.action)
            if isinstance(rule.action, Answer | Echo | Drop | LieOnHead):
                break
        return actions

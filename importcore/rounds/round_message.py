"""A check that waits in the queue `events`: the tags of one repository, from some tag on, in one round of one rule."""

import json
from dataclasses import dataclass
from typing import Any, Self

VERSION = 1
KIND = "check"


@dataclass(frozen=True, slots=True)
class RoundMessage:
    """One check.

    Attributes:
        rule: The name of the rule.
        round: Which of the rule's rounds it belongs to: the number of its intervals since 1970.
        registry: The source.
        repository: The repository; None to ask the registry's catalog which there are.
        after: The tag after which it goes on, in the order of their names; None from the first on.
    """

    rule: str
    round: int
    registry: str
    repository: str | None = None
    after: str | None = None

    def encode(self) -> str:
        """Write the body."""
        fields = {name: getattr(self, name) for name in ("rule", "round", "registry", "repository", "after")}
        return json.dumps({"v": VERSION, "kind": KIND, **fields})

    @classmethod
    def read(cls, value: Any) -> Self | None:  # noqa: ANN401 (whatever JSON holds)
        """Read a decoded body; None where it is no check of this version."""
        match value:
            case {"v": 1, "kind": "check", "rule": str(rule), "round": int(number), "registry": str(registry)}:
                repository, after = value.get("repository"), value.get("after")
                if all(text is None or isinstance(text, str) for text in (repository, after)):
                    return cls(rule, number, registry, repository, after)
        return None

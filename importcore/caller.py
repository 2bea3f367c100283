"""Who asks: a caller as the policy sees it, and what the record keeps of one.

Callers reach `intake.py` from the HTTP API, from webhooks and events, and from rules on a schedule; each door of the
house names its callers itself, and none is anonymous.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks for something.

    Attributes:
        identity: One stable name: `function-key`, `entra:<object id>`, `hook:<name>`, `rule:<name>`.
        who: What a policy may know the caller by: `function-key`, `object:…`, `app:…`, `group:…`, `role:…`,
            `hook:…`, `rule:…`.
        name: What people call it, where that is known; never trusted.
        address: Where the request came from, as the platform's front end saw it.
    """

    identity: str
    who: frozenset[str]
    name: str = ""
    address: str | None = None

    @classmethod
    def by_key(cls, address: str | None = None) -> "Caller":
        """Whoever has a function key; the platform does not say which one."""
        return cls("function-key", frozenset({"function-key"}), address=address)

    @classmethod
    def by_hook(cls, name: str, address: str | None = None) -> "Caller":
        """A webhook or event subscription of the configuration, which has its own secret."""
        return cls(f"hook:{name}", frozenset({f"hook:{name}"}), address=address)

    @classmethod
    def by_rule(cls, name: str) -> "Caller":
        """A rule of the configuration that runs by itself."""
        return cls(f"rule:{name}", frozenset({f"rule:{name}"}))


@dataclass(frozen=True, slots=True)
class Asker:
    """What the record keeps of a caller.

    Attributes:
        identity: As `Caller.identity`.
        name: As `Caller.name`.
        address: As `Caller.address`.
        admitted_as: The names of the policy's entries that the caller was. The policy is asked again by these names
            when the import runs, so that what was taken away meanwhile is taken away.
    """

    identity: str
    name: str = ""
    address: str | None = None
    admitted_as: tuple[str, ...] = ()

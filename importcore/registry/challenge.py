"""What a 401 asks for: `WWW-Authenticate`, one or several challenges in one or several headers.

Grammar: RFC 9110, 11.3 and 11.6.1; the parameters `realm`, `service`, `scope` and `error`: distribution's
"Token Authentication Specification".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"  # noqa: S105 (RFC 9110's word for a bare word)
_PARAMETER = re.compile(rf'({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))\s*(?:,\s*|$|(?=\s))')
_WORD = re.compile(_TOKEN)
_SCHEME = re.compile(rf"({_TOKEN})(?:\s+|\s*,\s*|$)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate that a registry offers; `scheme` and parameter names are in lower case."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def realm(self) -> str:
        """Where tokens are to be had; empty when the challenge does not say."""
        return self.parameters.get("realm", "")

    @property
    def service(self) -> str:
        """The name of the registry at its token service; empty when the challenge does not say."""
        return self.parameters.get("service", "")

    @property
    def scopes(self) -> tuple[str, ...]:
        """The access that the request needs, as the registry sees it."""
        return tuple(self.parameters.get("scope", "").split())


def parse_challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """Read every challenge of a response; text that is none is passed over."""
    found: list[Challenge] = []
    for header in headers:
        found += _parse(header.strip())
    return tuple(found)


def _parse(header: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = 0
    while position < len(header):
        parameter = _PARAMETER.match(header, position)
        if parameter and found:
            quoted, bare = parameter[2], parameter[3]
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
            found[-1].parameters.setdefault(parameter[1].lower(), value)
            position = parameter.end()
        elif scheme := _SCHEME.match(header, position):
            found.append(Challenge(scheme[1].lower()))
            position = scheme.end()
        else:
            # The whole word: to try again at each of its letters would take the square of its length.
            word = _WORD.match(header, position)
            position = word.end() if word else position + 1
    return found

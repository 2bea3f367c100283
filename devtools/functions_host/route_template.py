"""ASP.NET route templates, as far as HTTP triggers use them.

Segments are literals, `{name}`, `{name?}`, `{name:constraint}`, `{name=default}` is not known, and `{*rest}` last.
Literals are compared without regard to case; a failed constraint is a 404 ("Route constraints", ASP.NET Core).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

_CONSTRAINTS: Mapping[str, str] = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "alpha": r"[a-z]+",
    "bool": r"true|false",
    "guid": r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}",
}
_PARAMETER = re.compile(r"\{(?P<rest>\*{1,2})?(?P<name>\w+)(?::(?P<constraint>[a-z]+))?(?P<optional>\?)?\}")
_LITERAL, _CONSTRAINED, _FREE, _REST = range(4)


class UnknownTemplateError(ValueError):
    """The template uses what is not known here."""


@dataclass(frozen=True, slots=True)
class RouteTemplate:
    """A compiled template; `precedence` sorts the more specific one first."""

    template: str
    pattern: re.Pattern[str]
    precedence: tuple[int, ...]

    @classmethod
    def compile(cls, template: str) -> "RouteTemplate":
        """Compile a template without leading slash.

        Raises:
            UnknownTemplateError: A segment mixes text and parameters, or has a constraint that is not known here.
        """
        pattern, precedence = "", []
        for index, segment in enumerate(part for part in template.split("/") if part):
            slash = "/" if index else ""
            if "{" not in segment:
                pattern += slash + re.escape(segment)
                precedence.append(_LITERAL)
                continue
            parameter = _PARAMETER.fullmatch(segment)
            constraint = parameter.group("constraint") if parameter else None
            if parameter is None or (constraint is not None and constraint not in _CONSTRAINTS):
                raise UnknownTemplateError(f"'{segment}' in the route '{template}' is not known to the local host")
            kind = _REST if parameter["rest"] else _CONSTRAINED if constraint else _FREE
            inner = ".*" if kind == _REST else _CONSTRAINTS[constraint] if constraint else "[^/]+"
            piece = f"{slash}(?P<{parameter['name']}>{inner})"
            pattern += f"(?:{piece})?" if parameter["optional"] or kind == _REST else piece
            precedence.append(kind)
        return cls(template, re.compile(pattern, re.IGNORECASE), tuple(precedence))

    def match(self, path: str) -> dict[str, str] | None:
        """Match a raw (still percent-encoded) path without slashes at its ends.

        Returns:
            The route parameters, decoded; None when it does not match.
        """
        match = self.pattern.fullmatch(path)
        if match is None:
            return None
        return {name: unquote(value) for name, value in match.groupdict().items() if value is not None}

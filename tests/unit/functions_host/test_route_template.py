"""ASP.NET route templates."""

import pytest

from devtools.functions_host.route_template import RouteTemplate, UnknownTemplateError


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("api/imports", "api/imports", {}),
        ("api/imports", "API/Imports", {}),
        ("api/imports", "api/imports/1", None),
        ("api/imports/{id}", "api/imports/a%2Fb", {"id": "a/b"}),
        ("api/imports/{id}", "api/imports", None),
        ("api/imports/{id?}", "api/imports", {}),
        ("api/{id:int}", "api/12", {"id": "12"}),
        ("api/{id:int}", "api/twelve", None),
        ("api/{*rest}", "api/a/b/c", {"rest": "a/b/c"}),
        ("api/{*rest}", "api", {}),
        ("api/{a}/x/{b}", "api/1/x/2", {"a": "1", "b": "2"}),
        ("api/a.b", "api/axb", None),
    ],
)
def test_matching(template: str, path: str, expected: dict[str, str] | None) -> None:
    """A path matches with its decoded parameters, or not at all."""
    assert RouteTemplate.compile(template).match(path) == expected


def test_the_more_specific_template_comes_first() -> None:
    """A literal before a constrained parameter, that before a free one, and the rest last."""
    templates = ["api/{*rest}", "api/{id}", "api/{id:int}", "api/health"]
    compiled = sorted(map(RouteTemplate.compile, templates), key=lambda route: route.precedence)
    assert [route.template for route in compiled] == templates[::-1]


@pytest.mark.parametrize("template", ["api/{id:regex(x)}", "api/v{version}", "api/{id=1}"])
def test_what_is_not_known_is_refused(template: str) -> None:
    """A template that would be matched wrongly is refused at start."""
    with pytest.raises(UnknownTemplateError):
        RouteTemplate.compile(template)

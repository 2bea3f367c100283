"""Who may import where: only into the registries that this installation serves."""

import pytest

from importcore.errors import PolicyError
from importcore.policy import require_allowed
from importcore.reference import Reference
from importcore.request.model import ImportRequest
from importcore.settings.model import Settings, StorageAccount


def settings(*, default: str | None = None, listed: tuple[str, ...] = ()) -> Settings:
    """An installation that serves these registries."""
    return Settings(
        storage=StorageAccount(connection_string="x"),
        sealing_keys=(),
        default_target_registry=default,
        target_registries=listed,
    )


def into(*targets: str) -> ImportRequest:
    """A request for these targets."""
    return ImportRequest(Reference.parse("alpine"), tuple(map(Reference.parse, targets)))


@pytest.mark.parametrize(
    ("served", "target"),
    [
        (settings(default="here.azurecr.io"), "here.azurecr.io/a:1"),
        (settings(listed=("here.azurecr.io", "there.azurecr.io")), "there.azurecr.io/a:1"),
    ],
)
def test_a_served_registry_is_allowed(served: Settings, target: str) -> None:
    """The default one, or one that is listed."""
    request = into(target)

    assert require_allowed(request, served) is None  # type: ignore[func-returns-value]  # returning at all is the outcome


@pytest.mark.parametrize(
    ("served", "target"),
    [
        (settings(), "here.azurecr.io/a:1"),
        (settings(default="here.azurecr.io"), "there.azurecr.io/a:1"),
        (settings(default="here.azurecr.io", listed=("there.azurecr.io",)), "here.azurecr.io/a:1"),
        (settings(default="here.azurecr.io"), "here.azurecr.io:444/a:1"),
        (settings(default="here.azurecr.io"), "xhere.azurecr.io/a:1"),
        (settings(default="here.azurecr.io"), "alpine"),
    ],
)
def test_any_other_registry_is_refused_by_name(served: Settings, target: str) -> None:
    """The error names the registry, those that are allowed, and the setting."""
    with pytest.raises(PolicyError) as caught:
        require_allowed(into(target), served)

    refused = Reference.parse(target)
    assert refused.registry in caught.value.message
    assert (", ".join(served.allowed_targets) or "none") in caught.value.message
    assert caught.value.reference == str(refused)
    assert "TRANSLOAD_TARGET_REGISTRIES" in caught.value.action


def test_one_refused_target_refuses_the_request() -> None:
    """Nothing is imported by halves."""
    with pytest.raises(PolicyError, match=r"there\.azurecr\.io"):
        require_allowed(into("here.azurecr.io/a:1", "there.azurecr.io/a:1"), settings(default="here.azurecr.io"))

"""Who may import what, from where, to where. Asked once, when an import is submitted."""

from importcore.errors import PolicyError
from importcore.request.model import ImportRequest
from importcore.settings.model import Settings


def require_allowed(request: ImportRequest, settings: Settings) -> None:
    """Refuse an import into a registry that this installation does not serve.

    Raises:
        PolicyError: Says which registry and which setting.
    """
    allowed = settings.allowed_targets
    for registry, target in _targets(request):
        if registry not in allowed:
            listed = ", ".join(allowed) or "none"
            raise PolicyError(
                f"imports into {registry} are not allowed here (allowed: {listed})",
                action="Add the registry to the app setting TRANSLOAD_TARGET_REGISTRIES, or name an allowed one.",
                reference=target,
            )


def _targets(request: ImportRequest) -> list[tuple[str, str]]:
    """Every place that the request would write to, as registry and reference."""
    if request.selection is not None:
        return [(request.selection.target_registry, str(request.selection))]
    return [(target.registry, str(target)) for target in request.targets]

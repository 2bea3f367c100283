"""Errors in the form of Azure Resource Manager, as its SDKs read them.

Source: "Common API details" of the Resource Provider Contract, "Error response content" (an OData v4 error).
SDKs show code, message, target, details and innererror, and nothing else: so what to do about it stands in the message.
"""

from typing import Any

from pydantic import Field

from importcore.api.views import View, error_view
from importcore.errors import TransloadError
from importcore.state.record import ImportRecord, Status

_CANCELED = ("canceled", "the import was canceled")


class ArmDetailView(View):
    """One wrong field, or one thing that a registry said."""

    code: str
    message: str
    target: str | None = None


class ArmErrorView(View):
    """Why a request was refused, or why an import failed."""

    code: str
    message: str = Field(description="What is wrong, and what to do about it")
    target: str | None = None
    details: tuple[ArmDetailView, ...] = ()
    innererror: dict[str, Any] | None = Field(default=None, description="Which import it was, at which side and step")


class ArmErrorBody(View):
    """The body of every answer that is an error, in ARM's form."""

    error: ArmErrorView


def arm_error_json(error: TransloadError) -> str:
    """An error that refuses a request."""
    view = error_view(error)
    return _json(
        ArmErrorView(
            code=view.code,
            message=_with_action(view.message, view.action),
            target=view.target,
            details=tuple(ArmDetailView(**problem.model_dump()) for problem in view.details),
        )
    )


def arm_failure_json(record: ImportRecord) -> str:
    """Why an import that has ended did not succeed, and which one it was."""
    error = record.error
    code, message = (error.code, _with_action(error.message, error.action)) if error else _CANCELED
    if record.status is Status.CANCELED:
        code, message = _CANCELED
    about: dict[str, Any] = {"id": record.id, "status": record.status.value}
    if error:
        about |= {"step": error.step, **({"side": error.origin.value} if error.origin else {})}
    return _json(
        ArmErrorView(
            code=code,
            message=message,
            target=error.reference if error else None,
            details=tuple(_answer_of_registry(text) for text in error.answers) if error else (),
            innererror=about,
        )
    )


def _answer_of_registry(text: str) -> ArmDetailView:
    code, colon, message = text.partition(": ")
    return ArmDetailView(code=code if colon else "registry", message=message or text)


def _with_action(message: str, action: str) -> str:
    return f"{message.rstrip('.')}. {action}" if action else message


def _json(error: ArmErrorView) -> str:
    return ArmErrorBody(error=error).model_dump_json(by_alias=True, exclude_none=True)

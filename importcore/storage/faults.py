"""What an error of the storage account means to us."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import AzureError, HttpResponseError

from importcore.errors import StorageUnavailableError, printable


def error_code(error: HttpResponseError) -> str:
    """Give the service's own code, such as `PopReceiptMismatch`; empty when it sent none."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


@contextmanager
def storage_step(step: str) -> Iterator[None]:
    """Turn every error of the SDK into `StorageUnavailableError`, with the step and the service's code.

    What the SDK's exception says in words is left out: it can hold the request's URL with its signature.
    """
    try:
        yield
    except HttpResponseError as error:
        said = " ".join(filter(None, [str(error.status_code or ""), printable(error_code(error), 60)]))
        raise StorageUnavailableError(f"storage refused to {step} ({said or 'no answer'})", step=step) from error
    except AzureError as error:
        raise StorageUnavailableError(
            f"storage did not answer to: {step} ({type(error).__name__})", step=step
        ) from error

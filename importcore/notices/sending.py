"""One POST of a notice: past the origin gate, no redirect followed, and what its answer means.

The receiver may be a stranger: nothing of its answer is read but the status and `Retry-After`.
"""

from dataclasses import dataclass

import httpx

from importcore.errors import UnsafeUrlError
from importcore.notices.letter import Letter
from importcore.registry.registries import Registries
from importcore.registry.transport import retry_after

_TIMEOUT = httpx.Timeout(15.0, connect=10.0)
_FOR_GOOD = frozenset({400, 401, 405, 410, 411, 413, 414, 415, 422, 431, 501})
"""What the same request will be answered again. 403 and 404 are not among them: a firewall or a deployment heals."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went.

    Attributes:
        error: Why it failed; empty when it did not.
        may_pass: Whether trying again can help.
        retry_after: The pause that the receiver asked for, in seconds.
    """

    error: str = ""
    may_pass: bool = False
    retry_after: float | None = None


async def send(letter: Letter, registries: Registries) -> Outcome:
    """Send a letter once.

    Raises:
        ConfigurationError: A file that the settings name for the host cannot be read.
    """
    http = registries.http(letter.url)
    request = http.build_request(
        "POST", letter.url, headers=dict(letter.headers), content=letter.body, timeout=_TIMEOUT
    )
    try:
        response = await http.send(request, stream=True)
        await response.aclose()
    except UnsafeUrlError as error:
        return Outcome(error.message)
    except httpx.RequestError as error:
        return Outcome(f"no answer ({type(error).__name__})", may_pass=True)
    status = response.status_code
    if response.is_success:
        return Outcome()
    if 300 <= status < 400:  # noqa: PLR2004 (redirects)
        return Outcome(f"answered {status}, a redirect, which is not followed")
    return Outcome(f"answered {status}", may_pass=status not in _FOR_GOOD, retry_after=retry_after(response))

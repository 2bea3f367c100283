"""Doing several things at once, with the first trouble raised as itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

from importcore.errors import TransloadError

T = TypeVar("T")


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that raises one error instead of a group: a final one rather than one that may pass."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        raise min(_single(errors), key=_weight) from None


async def for_each(items: Iterable[T], do: Callable[[T], Awaitable[None]], *, at_once: int) -> None:
    """Do something for every item, `at_once` of them at a time, in their order."""
    queue = iter(items)

    async def worker() -> None:
        for item in queue:
            await do(item)

    async with together() as group:
        for _ in range(at_once):
            group.create_task(worker())


def _single(errors: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in errors.exceptions:
        found += _single(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _weight(error: BaseException) -> int:
    """Errors of our own tree that nobody can wait out come first, then bugs, then what may pass."""
    if isinstance(error, TransloadError):
        return 2 if error.retryable else 0
    return 1

"""Which functions a host process runs, after Flex Consumption's per-function scaling."""

from enum import StrEnum


class FunctionGroup(StrEnum):
    """A group of functions.

    `HTTP` are HTTP and Event Grid functions, and the timers, which must run in one process only; `QUEUE` are queue
    functions.
    """

    HTTP = "http"
    QUEUE = "queue"
    ALL = "all"

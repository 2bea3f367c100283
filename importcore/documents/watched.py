"""The document in force: read when it is first needed, and again, at a bounded rate, when it has changed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from importcore.documents.place import BYTES_AT_MOST
from importcore.errors import ConfigurationError, printable

LOOK_AGAIN_SECONDS = 30.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A document as it was read; `version` changes when the text may have (a file's time and size, a blob's ETag)."""

    text: str
    version: str


class DocumentSource(Protocol):
    """A place where a document lies."""

    async def read(self, known: str | None) -> DocumentText | None:
        """Read it; None when it still has the version that is known.

        Raises:
            ConfigurationError: There is none, or it is no text.
            StorageUnavailableError: Storage did not answer.
        """


class TextInSetting:
    """A document that is the app setting itself; it never changes while the process lives."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def read(self, known: str | None) -> DocumentText | None:
        """See `DocumentSource`."""
        return None if known else DocumentText(self._text, "setting")


class TextInFile:
    """A document in a file that is deployed with the app."""

    def __init__(self, path: Path, name: str) -> None:
        """Take the path, and the name of the app setting for messages."""
        self._path = path
        self._name = name

    async def read(self, known: str | None) -> DocumentText | None:
        """See `DocumentSource`."""
        return await asyncio.to_thread(self._read, known)

    def _read(self, known: str | None) -> DocumentText | None:
        try:
            status = self._path.stat()
            version = f"{status.st_mtime_ns}/{status.st_size}"
            if version == known:
                return None
            with self._path.open("rb") as file:
                return DocumentText(decoded(file.read(BYTES_AT_MOST + 1), self._name), version)
        except OSError as error:
            reason = printable(error.strerror or type(error).__name__)
            raise ConfigurationError(f"{self._name}: the file {self._path} cannot be read ({reason})") from error


def decoded(content: bytes, name: str) -> str:
    """Decode a document.

    Raises:
        ConfigurationError: It is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{name}: the document is not text in UTF-8") from None


class WatchedDocument(Generic[T]):
    """Gives what a document says now.

    A document that became wrong is wrong at once and in every process alike: `current` raises until it is corrected.
    What was right before is not used on, because a process that has just started would not know it.
    """

    def __init__(
        self, source: DocumentSource, read: Callable[[str], T], *, look_again_seconds: float = LOOK_AGAIN_SECONDS
    ) -> None:
        """Take where the document lies and what makes a value of its text; no text is read twice."""
        self._source = source
        self._read = read
        self._every = look_again_seconds
        self._one_at_a_time = asyncio.Lock()
        self._version: str | None = None
        self._said: T | ConfigurationError | None = None
        self._looked_at: float | None = None

    async def current(self) -> T:
        """Give what the document says; it was looked at within `look_again_seconds`.

        Raises:
            InvalidDocumentError: It is wrong.
            ConfigurationError: It is not there.
            StorageUnavailableError: Nobody knows what it says now.
        """
        async with self._one_at_a_time:
            clock = asyncio.get_running_loop().time()
            if self._said is None or self._looked_at is None or clock - self._looked_at >= self._every:
                await self._look()
                self._looked_at = clock
            said = self._said
        if isinstance(said, ConfigurationError):
            raise said.with_traceback(None)
        if said is None:
            raise RuntimeError("a document was read and says nothing")
        return said

    async def _look(self) -> None:
        try:
            found = await self._source.read(self._version)
        except ConfigurationError as error:
            self._version, self._said = None, error
            return
        if found is None:
            return
        self._version = found.version
        try:
            self._said = self._read(found.text)
        except ConfigurationError as error:
            self._said = error

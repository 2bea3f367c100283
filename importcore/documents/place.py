"""Where a document lies: in the app setting itself, in a file beside the code, or in a blob of the storage account."""

import re
from dataclasses import dataclass
from typing import Self

from importcore.errors import printable

BYTES_AT_MOST = 128 * 1024
"""How large a document may be; parsing takes the event loop's time, half a second for this much."""
_BLOB = re.compile(r"(?P<container>[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9])/(?P<blob>[^\s?#]{1,1024})")


@dataclass(frozen=True, slots=True)
class DocumentPlace:
    """Where a document lies; exactly one of the three is set.

    Attributes:
        text: The document itself.
        file: A path, relative to the folder of `function_app.py`.
        blob: Container and name of a blob in the app's storage account.
    """

    text: str | None = None
    file: str | None = None
    blob: tuple[str, str] | None = None

    @classmethod
    def parse(cls, setting: str) -> Self:
        """Read an app setting: `file:rules.yaml`, `blob:container/rules.yaml`, or else the document itself.

        Raises:
            ValueError: Says what is wrong.
        """
        kind, _, rest = setting.partition(":")
        if "\n" in setting or rest[:1].isspace() or kind not in {"file", "blob"}:
            return cls(text=setting)
        if kind == "file":
            if not rest:
                raise ValueError("file: must be followed by a path")
            return cls(file=rest)
        found = _BLOB.fullmatch(rest)
        if found is None:
            raise ValueError(f"'{printable(rest, 80)}' is no blob; write blob:container/name")
        return cls(blob=(found["container"], found["blob"]))

    def __str__(self) -> str:
        if self.blob is not None:
            return f"blob {'/'.join(self.blob)}"
        return f"file {self.file}" if self.file is not None else "app setting"

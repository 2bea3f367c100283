"""Catalog: which repository holds which blobs, manifests and tags. SQLite, in a file or in memory."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS blobs (repository TEXT, digest TEXT, PRIMARY KEY (repository, digest));
CREATE TABLE IF NOT EXISTS manifests (
    repository TEXT, digest TEXT, media_type TEXT, body BLOB, subject TEXT, artifact_type TEXT, annotations TEXT,
    PRIMARY KEY (repository, digest));
CREATE INDEX IF NOT EXISTS subjects ON manifests (repository, subject);
CREATE TABLE IF NOT EXISTS tags (
    repository TEXT, tag TEXT, digest TEXT, locked INTEGER DEFAULT 0, PRIMARY KEY (repository, tag));
"""


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest as it was received.

    Attributes:
        digest: The digest it was put under.
        media_type: Its media type.
        body: The bytes, exactly.
        subject: The digest of the manifest that it refers to, None when to none.
        artifact_type: What referrer lists call its type; empty when it has none.
        annotations: Its annotations as JSON text; empty when it has none.
    """

    digest: str
    media_type: str
    body: bytes
    subject: str | None = None
    artifact_type: str = ""
    annotations: str = ""


class Catalog:
    """What belongs to which repository."""

    def __init__(self, path: Path | None) -> None:
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")  # survives the death of the process, which is what is emulated
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def link_blob(self, repository: str, digest: str) -> None:
        """Let a repository hold a blob."""
        self._db.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (repository, digest))

    def holds_blob(self, repository: str, digest: str) -> bool:
        """Whether a repository holds a blob."""
        rows = self._db.execute("SELECT 1 FROM blobs WHERE repository = ? AND digest = ?", (repository, digest))
        return rows.fetchone() is not None

    def unlink_blob(self, repository: str, digest: str) -> bool:
        """Take a blob from a repository; false when it did not hold it."""
        done = self._db.execute("DELETE FROM blobs WHERE repository = ? AND digest = ?", (repository, digest))
        return done.rowcount > 0

    def is_blob_held(self, digest: str) -> bool:
        """Whether any repository holds the blob."""
        return self._db.execute("SELECT 1 FROM blobs WHERE digest = ?", (digest,)).fetchone() is not None

    def put_manifest(self, repository: str, manifest: StoredManifest) -> None:
        """Keep a manifest."""
        self._db.execute(
            "INSERT OR REPLACE INTO manifests VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                repository,
                manifest.digest,
                manifest.media_type,
                manifest.body,
                manifest.subject,
                manifest.artifact_type,
                manifest.annotations,
            ),
        )

    def manifest(self, repository: str, digest: str) -> StoredManifest | None:
        """The manifest of this digest."""
        return next(self._manifests("repository = ? AND digest = ?", repository, digest), None)

    def referrers(self, repository: str, subject: str) -> list[StoredManifest]:
        """The manifests whose subject is this digest, in the order of their digests."""
        return list(self._manifests("repository = ? AND subject = ? ORDER BY digest", repository, subject))

    def remove_manifest(self, repository: str, digest: str) -> bool:
        """Forget a manifest and the tags that point to it; false when there was none."""
        done = self._db.execute("DELETE FROM manifests WHERE repository = ? AND digest = ?", (repository, digest))
        self._db.execute("DELETE FROM tags WHERE repository = ? AND digest = ?", (repository, digest))
        return done.rowcount > 0

    def put_tag(self, repository: str, tag: str, digest: str) -> None:
        """Let a tag point to a manifest."""
        self._db.execute(
            "INSERT INTO tags (repository, tag, digest) VALUES (?, ?, ?) "
            "ON CONFLICT (repository, tag) DO UPDATE SET digest = excluded.digest",
            (repository, tag, digest),
        )

    def tag(self, repository: str, tag: str) -> str | None:
        """The digest that a tag points to."""
        row = self._db.execute("SELECT digest FROM tags WHERE repository = ? AND tag = ?", (repository, tag)).fetchone()
        return None if row is None else str(row[0])

    def tags(self, repository: str) -> dict[str, str]:
        """The tags of a repository and what they point to, in lexical order."""
        rows = self._db.execute("SELECT tag, digest FROM tags WHERE repository = ? ORDER BY tag", (repository,))
        return dict(rows.fetchall())

    def remove_tag(self, repository: str, tag: str) -> bool:
        """Forget a tag; false when there was none."""
        done = self._db.execute("DELETE FROM tags WHERE repository = ? AND tag = ?", (repository, tag))
        return done.rowcount > 0

    def lock_tag(self, repository: str, tag: str, *, locked: bool = True) -> bool:
        """Set a tag's `writeEnabled` to false (or true again); false when there is no such tag."""
        done = self._db.execute(
            "UPDATE tags SET locked = ? WHERE repository = ? AND tag = ?", (int(locked), repository, tag)
        )
        return done.rowcount > 0

    def is_locked(self, repository: str, tag: str) -> bool:
        """Whether a tag may be neither moved nor removed."""
        row = self._db.execute("SELECT locked FROM tags WHERE repository = ? AND tag = ?", (repository, tag)).fetchone()
        return row is not None and bool(row[0])

    def has_locked_tag(self, repository: str, digest: str) -> bool:
        """Whether a locked tag points to the manifest."""
        rows = self._db.execute(
            "SELECT 1 FROM tags WHERE repository = ? AND digest = ? AND locked", (repository, digest)
        )
        return rows.fetchone() is not None

    def repositories(self) -> list[str]:
        """All repositories that hold anything, in lexical order."""
        rows = self._db.execute("SELECT repository FROM blobs UNION SELECT repository FROM manifests ORDER BY 1")
        return [str(row[0]) for row in rows]

    def blobs(self, repository: str) -> list[str]:
        """The digests of the blobs that a repository holds."""
        rows = self._db.execute("SELECT digest FROM blobs WHERE repository = ? ORDER BY digest", (repository,))
        return [str(row[0]) for row in rows]

    def manifests(self, repository: str) -> list[StoredManifest]:
        """The manifests that a repository holds."""
        return list(self._manifests("repository = ? ORDER BY digest", repository))

    def _manifests(self, where: str, *values: str) -> Iterator[StoredManifest]:
        rows = self._db.execute(
            f"SELECT digest, media_type, body, subject, artifact_type, annotations FROM manifests WHERE {where}",  # noqa: S608 (constants of this class)
            values,
        )
        return (StoredManifest(*row) for row in rows)

"""Sealing: what is secret and must wait in a queue, table or blob, waits encrypted and bound to its import.

AES-256-GCM from `cryptography`. The import's id is the associated data, so that a sealed text copied into another
import does not open. Keys have ids, so that they can be rotated: the first one seals, every one opens.
"""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from importcore.errors import ConfigurationError

_NONCE_BYTES = 12  # NIST SP 800-38D: 96 bits, random, never used twice with one key


class Sealer:
    """Seals and opens short secrets with the keys of the app settings."""

    def __init__(self, keys: tuple[tuple[str, bytes], ...]) -> None:
        self._active = keys[0][0]
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys}

    def seal(self, secret: bytes, import_id: str) -> str:
        """Encrypt; the answer has the form `key-id.base64` and may stand anywhere."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._active].encrypt(nonce, secret, import_id.encode())
        return f"{self._active}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, import_id: str) -> bytes:
        """Decrypt what `seal` gave.

        Raises:
            ConfigurationError: The key is not there any more, or the text was altered or belongs to another import.
        """
        key_id, _, encoded = sealed.partition(".")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise ConfigurationError(
                f"a sealed value needs the key '{key_id[:16]}', which TRANSLOAD_SEALING_KEYS does not hold",
                action="Put the former key back behind the new one until the imports that used it are finished.",
            )
        try:
            raw = base64.b64decode(encoded, validate=True)
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], import_id.encode())
        except (binascii.Error, InvalidTag, ValueError) as error:
            raise ConfigurationError(
                f"a sealed value does not open with the key '{key_id}': it was altered, or the key's bytes changed",
                action="Restore the bytes of the key, or send the request again.",
            ) from error

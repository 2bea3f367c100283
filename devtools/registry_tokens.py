"""For tests: a token service that the real `docker-registry` trusts.

Distribution's "Token Authentication Specification", from the service's side. `docker-registry` is configured with
`auth: token`; it verifies the signature of each token against `rootcertbundle`, and finds the key by the certificate in
the token's `x5c` header.
"""

import base64
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_SERVICE, _ISSUER = "docker-registry", "token-service"


class RegistryTokens:
    """Issues tokens to users with passwords; each may do what its actions say, in every repository."""

    def __init__(self, users: Mapping[str, tuple[str, frozenset[str]]]) -> None:
        """Take the users.

        Args:
            users: Password and actions (`pull`, `push`) by name.
        """
        self._users = users
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _self_signed(self._key)
        self.asked: list[str] = []
        self.app = Starlette(routes=[Route("/token", self._token)])

    def registry_auth(self, port: int, folder: Path) -> dict[str, object]:
        """The `auth` section of a `docker-registry` that sends its clients to this service at a port."""
        bundle = folder / "token-service.pem"
        bundle.write_bytes(self._certificate.public_bytes(Encoding.PEM))
        realm = f"http://127.0.0.1:{port}/token"
        return {"token": {"realm": realm, "service": _SERVICE, "issuer": _ISSUER, "rootcertbundle": str(bundle)}}

    async def _token(self, request: Request) -> Response:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        name, _, password = base64.b64decode(encoded).decode().partition(":") if scheme == "Basic" else ("", "", "")
        known = self._users.get(name)
        if known is None or known[0] != password:
            return JSONResponse({"errors": [{"code": "UNAUTHORIZED", "message": "wrong user or password"}]}, 401)
        scopes = request.query_params.getlist("scope")
        self.asked += scopes
        access = []
        for scope in scopes:
            kind, resource, actions = scope.split(":")
            granted = sorted(known[1] & set(actions.split(",")))
            access.append({"type": kind, "name": resource, "actions": granted})
        now = int(time.time())
        claims = {
            "iss": _ISSUER,
            "sub": name,
            "aud": _SERVICE,
            "jti": uuid4().hex,
            "iat": now,
            "nbf": now - 5,
            "exp": now + 300,
            "access": access,
        }
        chain = [base64.b64encode(self._certificate.public_bytes(Encoding.DER)).decode()]
        return JSONResponse(
            {"token": jwt.encode(claims, self._key, "ES256", headers={"x5c": chain}), "expires_in": 300}
        )


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _ISSUER)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )

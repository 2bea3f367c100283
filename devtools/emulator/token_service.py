"""The token service: `/oauth2/exchange` and `/oauth2/token` (Azure/acr, docs/AAD-OAuth.md and Token-BasicAuth.md).

It grants the intersection of what is asked and what is allowed, silently: the access token is merely shorter.
"""

from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from devtools.emulator.access import CATALOG, basic_credentials, service_of
from devtools.emulator.config import EmulatorConfig
from devtools.emulator.entra import read_entra_token
from devtools.emulator.identities import Grant, granted_actions
from devtools.emulator.refusal import RefusalError
from devtools.emulator.tokens import InvalidTokenError, TokenSigner

_NULL_GUID = "00000000-0000-0000-0000-000000000000"
_ANONYMOUS = "anonymous"


class TokenService:
    """The two endpoints below `/oauth2/`."""

    def __init__(self, config: EmulatorConfig, tokens: TokenSigner) -> None:
        self._config = config
        self._tokens = tokens

    async def exchange(self, request: Request) -> Response:
        """POST /oauth2/exchange: an Entra access token for an ACR refresh token."""
        form = parse_qs((await request.body()).decode())
        if _one(form, "grant_type") not in {"access_token", "access_token_refresh_token"}:
            raise _unauthorized("grant type is not supported", status=400)
        try:
            caller = read_entra_token(
                _one(form, "access_token"),
                tenant=self._config.tenant,
                arm_audience=self._config.arm_audience,
            )
        except InvalidTokenError as error:
            raise _unauthorized(str(error)) from error
        if _one(form, "tenant") not in {"", caller.tenant}:
            raise _unauthorized("the token is of another tenant")
        service = self._service(request, _one(form, "service"))
        subject = f"principal:{' '.join(caller.ids)}"
        return JSONResponse({"refresh_token": self._tokens.refresh_token(service, subject, caller.tenant)})

    async def token(self, request: Request) -> Response:
        """POST (refresh token, or password) and GET (Basic, or nobody) /oauth2/token: an ACR access token."""
        if request.method == "GET":
            form = {name: request.query_params.getlist(name) for name in request.query_params}
            service = self._service(request, _one(form, "service"))
            authorization = request.headers.get("authorization", "")
            name, password = basic_credentials(authorization) or ("", "")
            if authorization and not name:
                raise _unauthorized("the Authorization header is not understood")
            subject = self._subject_of_password(name, password, service)
        else:
            form = parse_qs((await request.body()).decode())
            service = self._service(request, _one(form, "service"))
            subject = self._subject_of_form(form, service)
        access = [a for text in form.get("scope", []) for scope in text.split() if (a := self._grant(subject, scope))]
        return JSONResponse({"access_token": self._tokens.access_token(service, subject, access)})

    def _service(self, request: Request, asked: str) -> str:
        service = service_of(request, self._config)
        if asked not in {"", service}:
            raise _unauthorized("the service is another registry", status=400)
        return service

    def _subject_of_form(self, form: dict[str, list[str]], service: str) -> str:
        match _one(form, "grant_type"):
            case "refresh_token":
                try:
                    return self._tokens.refresh_subject(_one(form, "refresh_token"), service)
                except InvalidTokenError as error:
                    raise _unauthorized(str(error)) from error
            case "password":
                return self._subject_of_password(_one(form, "username"), _one(form, "password"), service)
            case _:
                raise _unauthorized("grant type is not supported", status=400)

    def _subject_of_password(self, name: str, password: str, service: str) -> str:
        if not name:
            return _ANONYMOUS
        if name == _NULL_GUID:  # then the password is a refresh token, as `az acr login --expose-token` prints it
            try:
                return self._tokens.refresh_subject(password, service)
            except InvalidTokenError as error:
                raise _unauthorized(str(error)) from error
        if self._config.identities.user(name, password) is None:
            raise _unauthorized("invalid username or password")
        return f"user:{name}"

    def _grant(self, subject: str, scope: str) -> dict[str, Any] | None:
        """One entry of the `access` claim; None when nothing of this scope is granted."""
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        rights: tuple[Grant, ...]
        if subject == _ANONYMOUS:
            rights = (Grant("*", frozenset({"pull", "metadata_read"})),) if self._config.anonymous_pull else ()
        else:
            rights = self._config.identities.grants_of(subject)
        if kind == "registry" and name == CATALOG:
            listed = subject != _ANONYMOUS and granted_actions(rights, "*", ["pull"])
            granted = ["*"] if listed else []
        else:
            granted = granted_actions(rights, name, actions.split(",")) if kind == "repository" else []
        return {"type": kind, "name": name, "actions": granted} if granted else None


def _one(form: dict[str, list[str]], field: str) -> str:
    return form.get(field, [""])[0]


def _unauthorized(message: str, status: int = 401) -> RefusalError:
    return RefusalError("UNAUTHORIZED", message=message, status=status)

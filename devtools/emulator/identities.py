"""Who may do what: Entra principals, users with passwords (admin user, service principal, scoped token), anonymous."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

_EVERYTHING = frozenset({"pull", "push", "delete", "metadata_read", "metadata_write"})


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions on all repositories whose name matches a glob; `*` crosses slashes."""

    repositories: str = "*"
    actions: frozenset[str] = _EVERYTHING

    def covers(self, repository: str) -> bool:
        """Whether the grant speaks of this repository."""
        return fnmatchcase(repository, self.repositories)


@dataclass(frozen=True, slots=True)
class Principal:
    """An Entra principal, named by its object id (`oid`) or application id (`appid`)."""

    id: str
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class User:
    """A name with a password: the admin user, a service principal or a repository-scoped token."""

    name: str
    password: str
    grants: tuple[Grant, ...] = (Grant(),)


@dataclass(frozen=True, slots=True)
class Identities:
    """All that a registry knows of its callers.

    Attributes:
        principals: Entra principals with rights of their own.
        other_principals: The rights of every Entra principal that `principals` does not name.
        users: Names with passwords.
    """

    principals: tuple[Principal, ...] = ()
    other_principals: tuple[Grant, ...] = (Grant(),)
    users: tuple[User, ...] = ()

    def grants_of_principal(self, ids: Iterable[str]) -> tuple[Grant, ...]:
        """The rights of the Entra principal that bears any of these ids."""
        wanted = {i.lower() for i in ids}
        found = [principal for principal in self.principals if principal.id.lower() in wanted]
        return tuple(g for principal in found for g in principal.grants) if found else self.other_principals

    def user(self, name: str, password: str) -> User | None:
        """The user with this name and password."""
        for user in self.users:
            if user.name == name and hmac.compare_digest(user.password.encode(), password.encode()):
                return user
        return None

    def grants_of(self, subject: str) -> tuple[Grant, ...]:
        """The rights of a token's subject: `user:{name}`, `principal:{id} {id}` or `anonymous`."""
        kind, _, rest = subject.partition(":")
        if kind == "user":
            return next((user.grants for user in self.users if user.name == rest), ())
        if kind == "principal":
            return self.grants_of_principal(rest.split())
        return ()


def granted_actions(grants: tuple[Grant, ...], repository: str, wanted: Iterable[str]) -> list[str]:
    """Which of the wanted actions the grants allow on a repository, in the order asked; `*` asks for all of them."""
    allowed: set[str] = set()
    for grant in grants:
        if grant.covers(repository):
            allowed |= _EVERYTHING if "*" in grant.actions else grant.actions
    return [action for action in wanted if action in allowed or (action == "*" and allowed >= _EVERYTHING)]

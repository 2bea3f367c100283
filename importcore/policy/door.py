"""The policy door: everything that is done for a caller passes it, whichever way the caller came in.

Asked when a request comes (also for a preview), for each child that a selection makes, and again by each run, by the
names of the entries that the caller was: what the policy does not allow any more is not done any more. Where no
policy is configured, the app settings' allow-lists alone decide.
"""

from collections.abc import Iterable

from importcore.caller import Asker, Caller
from importcore.errors import PolicyError
from importcore.policy.document import CallerRule, Limits, PolicyDocument, Route, SignatureRule
from importcore.reference import Reference
from importcore.repository_globs import matches, matches_within
from importcore.request.model import ImportRequest
from importcore.settings.model import Settings

_NO_POLICY = PolicyDocument(version=1)
_IN_POLICY = "in the policy (TRANSLOAD_POLICY)"


class LimitExceededError(PolicyError):
    """An import is larger than this installation, or this caller's entry of the policy, allows."""

    code = "limit_exceeded"
    default_action = f"Import less at once, or raise the limit {_IN_POLICY}."


class PolicyDoor:
    """Decides by the settings and the policy."""

    def __init__(self, settings: Settings, policy: PolicyDocument = _NO_POLICY) -> None:
        """Take the app settings, and what the policy says where there is one."""
        self._settings = settings
        self._policy = policy

    # -- callers -------------------------------------------------------------------------------------------------

    def admit(self, caller: Caller) -> Asker:
        """Let a caller in, as the entries of the policy that are about it.

        Raises:
            PolicyError: No entry is.
        """
        if self._policy.callers is None:
            return Asker(caller.identity, caller.name, caller.address)
        names = tuple(rule.name for rule in self._policy.callers if rule.is_about(caller.who))
        if not names:
            raise PolicyError(
                f"{caller.identity} is known, but may do nothing here",
                action=f"Name one of these as `who` of a caller {_IN_POLICY}: {', '.join(sorted(caller.who)[:10])}.",
            )
        return Asker(caller.identity, caller.name, caller.address, names)

    def may_see(self, asker: Asker, owner: Asker | None) -> bool:
        """Tell whether a caller may see an import that `owner` asked for."""
        return self.sees_all(asker) or (owner is not None and owner.identity == asker.identity)

    def sees_all(self, asker: Asker) -> bool:
        """Tell whether a caller may see every import."""
        rules = self._rules_of(asker)
        return rules is None or any(rule.sees == "all" for rule in rules)

    def require_sees_all(self, asker: Asker) -> None:
        """Refuse a caller that may see its own imports alone.

        Raises:
            PolicyError: Says what is missing.
        """
        if not self.sees_all(asker):
            action = f"It needs `sees: all` in its entry {_IN_POLICY}."
            raise PolicyError(f"{asker.identity} may see its own imports alone", action=action)

    def require_may_cancel(self, asker: Asker, owner: Asker | None) -> None:
        """Refuse to cancel for a caller that may only look.

        Raises:
            PolicyError: Says what is missing.
        """
        rules = self._rules_of(asker)
        is_own = owner is not None and owner.identity == asker.identity
        if rules is None or any(rule.cancels == "all" or (rule.cancels == "own" and is_own) for rule in rules):
            return
        raise PolicyError(
            f"{asker.identity} may not cancel this import",
            action=f"It needs `cancels: {'own' if is_own else 'all'}` in its entry {_IN_POLICY}.",
        )

    # -- imports -------------------------------------------------------------------------------------------------

    def require_may_import(self, asker: Asker) -> None:
        """Refuse a caller that may only look; asked before anything is done for it.

        Raises:
            PolicyError: Says what is missing.
        """
        rules = self._rules_of(asker)
        if rules is not None and not any(rule.routes for rule in rules):
            raise PolicyError(
                f"{asker.identity} may read imports, and import nothing",
                action=f"It needs an `import` with `from` and `to` in its entry {_IN_POLICY}.",
            )

    def require_request(self, asker: Asker, request: ImportRequest) -> None:
        """Refuse a request of which any part is not allowed.

        Raises:
            PolicyError: Says which part, and which setting or entry decides it.
        """
        self.require_may_import(asker)
        selection = request.selection
        if selection is None:
            for target in request.targets:
                self.require_route(asker, request.single_source, target)
            self.require_tags(asker, len(request.targets))
            return
        self._require_target_registry(selection.target_registry, str(selection))
        self._require_source_registry(selection.source_registry, selection.source_registry)
        if selection.names_globs:
            self._require_some_source(asker, selection.source_registry)
        for repository in selection.repositories_of(()):  # plain names; globs are asked about one by one when expanded
            source = Reference(selection.source_registry, repository, "latest")
            self.require_route(asker, source, selection.target_of(source))

    def require_sources(self, asker: Asker | None, registry: str, repositories: Iterable[str]) -> None:
        """Refuse repositories that a glob chose and that a caller may not read, before anything of them is asked.

        None of them is named: whoever may not read them is not told which there are.

        Raises:
            PolicyError: One of them is on no route.
        """
        for routes in self._routes_of(asker):
            if not all(any(_is_of(route, registry, each) for route in routes) for each in repositories):
                raise PolicyError(
                    f"the selection chooses repositories of {registry} that {_name_of(asker)} may not import from",
                    action=f"Name the repositories, or choose more narrowly; or a route is missing {_IN_POLICY}.",
                )

    def require_route(self, asker: Asker | None, source: Reference, target: Reference) -> None:
        """Refuse an import from here to there.

        Raises:
            PolicyError: Says which side, and which setting or entry decides it.
        """
        self._require_target_registry(target.registry, str(target))
        self._require_source_registry(source.registry, str(source))
        if self._policy.allow is not None and not _on_a_route(self._policy.allow, source, target):
            raise _no_route("this installation", source, target, "`allow`")
        rules = self._rules_of(asker)
        if rules is not None and not any(_on_a_route(rule.routes, source, target) for rule in rules):
            entries = ", ".join(rule.name for rule in rules) or "none"
            raise _no_route(_name_of(asker), source, target, f"an entry of its own ({entries})")

    def require_tags(self, asker: Asker | None, count: int) -> None:
        """Refuse more target tags, or imports of one selection, than allowed.

        Raises:
            LimitExceededError: Says how many are.
        """
        self._require_at_most("tags", count, self.limits_of(asker).tags)

    def require_size(self, asker: Asker | None, *, manifests: int, size: int) -> None:
        """Refuse an import of more manifests or bytes than allowed.

        Raises:
            LimitExceededError: Says how much is.
        """
        limits = self.limits_of(asker)
        self._require_at_most("manifests", manifests, limits.manifests)
        self._require_at_most("bytes", size, limits.bytes)

    def limits_of(self, asker: Asker | None) -> Limits:
        """The limits of a caller: the widest of its entries, within everybody's."""
        own = [rule.limits for rule in self._rules_of(asker) or ()]
        return _widest(own).within(self._policy.limits) if own else self._policy.limits

    def signatures_for(self, source: Reference, targets: tuple[Reference, ...]) -> tuple[SignatureRule, ...]:
        """The rules that demand a signature of this import; each of them must be satisfied."""
        return tuple(
            rule for rule in self._policy.signatures if any(_on_a_route((rule,), source, target) for target in targets)
        )

    # -- what the settings and the document say ------------------------------------------------------------------

    def _rules_of(self, asker: Asker | None) -> tuple[CallerRule, ...] | None:
        """The entries that an asker was admitted as; None where the policy names no callers at all."""
        if self._policy.callers is None:
            return None
        names = asker.admitted_as if asker else ()
        return tuple(rule for rule in self._policy.callers if rule.name in names)

    def _routes_of(self, asker: Asker | None) -> list[tuple[Route, ...]]:
        """The routes of the installation and those of a caller, where there are some: one of each must be taken."""
        rules = self._rules_of(asker)
        own = None if rules is None else tuple(route for rule in rules for route in rule.routes)
        return [routes for routes in (self._policy.allow, own) if routes is not None]

    def _require_some_source(self, asker: Asker, registry: str) -> None:
        """Before a catalog is asked for: its list is for those alone who may import something of it."""
        for routes in self._routes_of(asker):
            if not any(matches_within(glob, registry) for route in routes for glob in route.sources):
                raise PolicyError(
                    f"{asker.identity} may not import from {registry}",
                    action=f"A route with a matching `from` is missing {_IN_POLICY}.",
                    reference=registry,
                )

    def _require_target_registry(self, registry: str, reference: str) -> None:
        allowed = self._settings.allowed_targets
        if registry not in allowed:
            raise PolicyError(
                f"imports into {registry} are not allowed here (allowed: {', '.join(allowed) or 'none'})",
                action="Add the registry to the app setting TRANSLOAD_TARGET_REGISTRIES, or name an allowed one.",
                reference=reference,
            )

    def _require_source_registry(self, registry: str, reference: str) -> None:
        allowed = self._settings.source_registries
        if allowed and registry not in allowed:
            raise PolicyError(
                f"imports from {registry} are not allowed here (allowed: {', '.join(allowed)})",
                action="Add the registry to the app setting TRANSLOAD_SOURCE_REGISTRIES, or name an allowed one.",
                reference=reference,
            )

    @staticmethod
    def _require_at_most(what: str, count: int, limit: int | None) -> None:
        if limit is not None and count > limit:
            raise LimitExceededError(f"the import has {count} {what}, at most {limit} are allowed here")


def _name_of(asker: Asker | None) -> str:
    return asker.identity if asker else "nobody"


def _is_of(route: Route | SignatureRule, registry: str, repository: str) -> bool:
    return any(matches(glob, registry, repository) for glob in route.sources)


def _on_a_route(routes: tuple[Route | SignatureRule, ...], source: Reference, target: Reference) -> bool:
    return any(
        _is_of(route, source.registry, source.repository)
        and any(matches(glob, target.registry, target.repository) for glob in route.targets)
        for route in routes
    )


def _no_route(who: str, source: Reference, target: Reference, where: str) -> PolicyError:
    between = f"{source.registry}/{source.repository} to {target.registry}/{target.repository}"
    return PolicyError(
        f"{who} may not import from {between}",
        action=f"A route with a matching `from` and `to` is missing in {where} {_IN_POLICY}.",
        reference=str(target),
    )


def _widest(limits: list[Limits]) -> Limits:
    values = {name: [getattr(one, name) for one in limits] for name in Limits.model_fields}
    return Limits.model_construct(**{name: None if None in each else max(each) for name, each in values.items()})

"""The composition root: builds everything once per worker process. The only importer of azure.identity.

The Functions worker runs every async function of the app on one event loop, so what is built here lives as long as
the process. Building opens no connection; the first use does.
"""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import AzureCliCredential, ManagedIdentityCredential
from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy
from azure.storage.queue.aio import QueueServiceClient
from pydantic import BaseModel

from importcore.access.arm import RegistryResources
from importcore.access.clients import ImportClients
from importcore.access.identity import AcrEntraTokens, ArmEntraTokens, EventGridEntraTokens
from importcore.audit import Audit
from importcore.documents.place import DocumentPlace
from importcore.documents.watched import WatchedDocument
from importcore.doors.event_messages import DOOR, EventMessages
from importcore.doors.webhooks import Webhooks
from importcore.errors import ConfigurationError
from importcore.importer import Importer
from importcore.intake import Intake
from importcore.notices.delivery import Notices
from importcore.notices.letter import Letters
from importcore.notices.wanted import WantedNotices
from importcore.policy.document import PolicyDocument
from importcore.policy.policies import POLICY, Policies
from importcore.reception.reception import Reception
from importcore.reception.trial import Trial
from importcore.registry.pool_transport import PoolTransport
from importcore.registry.registries import Registries, TransportFactory
from importcore.rounds.rounds import Rounds
from importcore.rules.document import RulesDocument
from importcore.rules.rulebook import RULES, Rulebook, known_here
from importcore.run.ending import Ending
from importcore.run.following import Following
from importcore.run.outbox import Outbox
from importcore.run.poison import PoisonedMessages
from importcore.run.put_back import PutBack
from importcore.sealing import Sealer
from importcore.services import Services
from importcore.settings.model import CallersBy, Settings, StorageAccount, callers_by
from importcore.storage.account import RETRY, storage_clients
from importcore.storage.documents import TextInBlob, document_source
from importcore.storage.names import STORAGE_NAMES, StorageNames
from importcore.storage.plans import Plans
from importcore.storage.queue import ImportQueue
from importcore.storage.records import ImportRecords
from importcore.storage.tag_notes import TagNotes
from importcore.upkeep.orphans import Orphans
from importcore.upkeep.retention import Retention
from importcore.waiting import Waiting

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

__all__ = ["Services", "build", "callers_need_a_key", "services"]

M = TypeVar("M", bound=BaseModel)

_APP_FOLDER = Path(__file__).parent.parent


_TALKATIVE = ("httpx", "httpcore", "aiohttp", "azure.core.pipeline.policies.http_logging_policy", "azure.identity")


def _keep_urls_out_of_logs() -> None:
    """These libraries log whole URLs, whose query strings can be secrets (upload state, signatures)."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def build(
    environment: Mapping[str, str],
    transport: TransportFactory = PoolTransport,
    storage_options: Mapping[str, Any] | None = None,
    names: StorageNames = STORAGE_NAMES,
) -> Services:
    """Build everything from app settings.

    Args:
        environment: The app settings.
        transport: What carries requests to registries.
        storage_options: More options for the storage SDK's clients, such as a `transport` of their own.
        names: The queues, table and container.

    Raises:
        ConfigurationError: Names every setting that is missing or wrong.
    """
    _keep_urls_out_of_logs()
    settings = Settings.from_environment(environment)
    identity = _identity(settings, settings.client_id)
    storage_identity = _identity(settings, settings.storage.client_id or settings.client_id)
    options = dict(storage_options or {})
    queues, tables = storage_clients(settings.storage, storage_identity, options)
    registries = Registries(settings, transport)
    sealer = Sealer(settings.sealing_keys)
    audit = Audit()
    records = ImportRecords(tables.get_table_client(names.table), audit)
    queue, notice_queue = _queue(queues, names.queue), _queue(queues, names.notice_queue)
    plans = Plans(lambda: _container(settings.storage, storage_identity, names.plan_container, options))
    resources = RegistryResources(settings, registries, ArmEntraTokens(identity, settings.cloud.arm_audience))
    clients = ImportClients(settings, registries, sealer, AcrEntraTokens(identity), resources)
    papers = _Documents(lambda name: _container(settings.storage, storage_identity, name, options))
    policy, rules = papers.policy(settings.policy), papers.rules(settings)
    tag_notes = TagNotes(tables.get_table_client(names.table))
    policies = Policies(settings, policy)
    wanted = WantedNotices(settings, registries.gate, sealer)
    intake = Intake(
        records=records,
        queue=queue,
        sealer=sealer,
        clients=clients,
        policies=policies,
        notices=wanted,
        tag_notes=tag_notes,
    )
    rulebook = Rulebook(rules)
    reception = Reception(rulebook, intake, audit)
    event_grid = settings.hooks.get(DOOR)
    event_queue = _queue(queues, names.event_queue)
    rounds = Rounds(rulebook, clients, reception, tag_notes, event_queue)
    event_messages = EventMessages(
        reception,
        rounds,
        event_queue,
        _queue(queues, names.event_poison_queue),
        registry=event_grid.registry if event_grid else None,
    )
    outbox = Outbox(notice_queue)
    importer = Importer(
        settings=settings,
        records=records,
        queue=queue,
        outbox=outbox,
        plans=plans,
        sealer=sealer,
        clients=clients,
        policies=policies,
        following=Following(records, tag_notes),
        worker=_worker_name(environment),
    )
    put_back = PutBack(records, queue, sealer)
    poison = PoisonedMessages(records, plans, sealer, put_back, Ending(clients, plans), outbox=outbox)
    silence = max(settings.orphan_seconds, 2 * settings.lease_seconds)
    orphans = Orphans(records, queue, put_back, silence_seconds=silence)
    retention = Retention(records, plans, tag_notes, days=settings.retention_days)
    letters = Letters(settings.notices, sealer, EventGridEntraTokens(identity))
    notices = Notices(records, notice_queue, letters, registries, retry_seconds=settings.notices.retry_seconds)
    closing = (queues, tables, identity, storage_identity)
    return Services(
        settings=settings,
        audit=audit,
        policies=policies,
        intake=intake,
        waiting=Waiting(intake),
        importer=importer,
        poison=poison,
        outbox=outbox,
        notices=notices,
        records=records,
        queue=queue,
        plans=plans,
        registries=registries,
        clients=clients,
        orphans=orphans,
        retention=retention,
        closing=closing,
        rulebook=rulebook,
        rounds=rounds,
        trial=Trial(rulebook, policies),
        reception=reception,
        webhooks=Webhooks(settings, reception, wanted.require_allowed),
        event_messages=event_messages,
        documents=tuple(papers.blobs),
    )


class _Documents:
    """The documents that an operator wrote, looked at again and again; those in blobs have a connection to close."""

    def __init__(self, container: "Callable[[str], ContainerClient]") -> None:
        self._container = container
        self.blobs: list[TextInBlob] = []

    def policy(self, place: DocumentPlace | None) -> WatchedDocument[PolicyDocument] | None:
        return self._watched(place, POLICY, PolicyDocument) if place else None

    def rules(self, settings: Settings) -> WatchedDocument[RulesDocument] | None:
        return self._watched(settings.rules, RULES, RulesDocument, known_here(settings)) if settings.rules else None

    def _watched(self, place: DocumentPlace, name: str, model: type[M], context: object = None) -> WatchedDocument[M]:
        # Imported here: PyYAML is for those who have a document.
        from importcore.documents.yaml_document import read_yaml  # noqa: PLC0415

        source = document_source(place, name, folder=_APP_FOLDER, container=self._container)
        if isinstance(source, TextInBlob):
            self.blobs.append(source)
        shown = f"{name} ({place})"
        return WatchedDocument(source, lambda text: read_yaml(text, model, name=shown, context=context))


def _worker_name(environment: Mapping[str, str]) -> str:
    """Name this process: the instance, as the platform's own logs name it, and the process id."""
    instance = environment.get("WEBSITE_INSTANCE_ID") or socket.gethostname()
    return f"{instance[:32]}/{os.getpid()}"


def _identity(settings: Settings, client_id: str | None) -> AsyncTokenCredential:
    if settings.use_developer_identity:
        return AzureCliCredential()
    return ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()


def _queue(queues: QueueServiceClient, name: str) -> ImportQueue:
    encode, decode = TextBase64EncodePolicy(), TextBase64DecodePolicy()
    return ImportQueue(queues.get_queue_client(name, message_encode_policy=encode, message_decode_policy=decode))


def _container(
    account: StorageAccount, identity: AsyncTokenCredential, name: str, options: dict[str, Any]
) -> "ContainerClient":
    # Imported here, at the first plan or document: it is the largest import of all, and most HTTP calls never need it.
    from azure.storage.blob.aio import ContainerClient  # noqa: PLC0415

    if account.connection_string:
        return ContainerClient.from_connection_string(account.connection_string, name, **RETRY, **options)
    return ContainerClient(account.blob_endpoint or "", name, identity, **RETRY, **options)


def callers_need_a_key(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the host must ask HTTP callers for a function key: unless App Service authentication signs them in.

    Asked while the functions are indexed, before the settings are read; a wrong setting asks for the key.
    """
    return callers_by(environment) is not CallersBy.ENTRA


_services: Services | ConfigurationError | None = None


async def services() -> Services:
    """Give what the triggers need, built at the first call in this process.

    Raises:
        ConfigurationError: The app settings are wrong; the same error every time until the app restarts.
    """
    global _services  # noqa: PLW0603 (the one place of the process's state)
    if _services is None:
        try:
            _services = build(os.environ)
            _let_go_on_sigterm(_services)
        except ConfigurationError as error:
            _services = error
    if isinstance(_services, ConfigurationError):
        raise _services
    return _services


def _let_go_on_sigterm(running: Services) -> None:
    """At scale-in the platform sends SIGTERM: hand running imports over now, rather than let their leases run out.

    Whoever waits for an import gets an answer now, too, rather than a broken connection.
    """

    def stop() -> None:
        running.importer.stop()
        running.waiting.stop()

    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGTERM, stop)
    except (NotImplementedError, RuntimeError, ValueError):
        return  # not the main thread, or Windows: then the lease runs out, which costs a minute

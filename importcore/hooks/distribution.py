"""CNCF distribution's notifications: many events in one body. GitLab's own registry and zot-like ones send the same.

Source: distribution, docs/content/about/notifications.md. Any 2xx ends the delivery; anything else is sent again for
ever. So an event that cannot be read is named in the answer, beside those that can.
"""

from importcore.hooks.payload import Delivery, MalformedEventError, Payload
from importcore.hooks.push_event import Heard, Ignored, PushEvent, heard
from importcore.hooks.registry_event import read_registry_event


def read(delivery: Delivery) -> Heard:
    """Read one delivery.

    Raises:
        MalformedEventError: There is no list of events.
    """

    def read_one(event: Payload) -> PushEvent | Ignored:
        try:
            return read_registry_event(event, delivery.registry)
        except MalformedEventError as error:
            return Ignored(event.path, error.message)

    return heard(*map(read_one, delivery.payload().items("events")))

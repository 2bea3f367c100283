"""ACR's webhook: one event of distribution's form, bare.

Source: learn.microsoft.com, "Azure Container Registry webhook reference". No signature; a custom header can hold a
secret.
"""

from importcore.hooks.payload import Delivery
from importcore.hooks.push_event import Heard, heard
from importcore.hooks.registry_event import read_registry_event


def read(delivery: Delivery) -> Heard:
    """Read one delivery: push and chart_push (which names no registry); the rest is ignored with its reason."""
    return heard(read_registry_event(delivery.payload(), delivery.registry))

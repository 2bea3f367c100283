"""For tests: a storage account in memory whose clock is turned by hand.

Azurite has real seconds; what happens when a lease ends can be tried there a few times, but not thousands of times in
every order. This stands in for the few requests that claims and heartbeats need, behind the real SDK clients.
`tests/contract/test_clockwork.py` holds it to Azurite.
"""

from devtools.clockwork.account import CONNECTION_STRING, ClockworkAccount
from devtools.clockwork.transport import ClockworkTransport

__all__ = ["CONNECTION_STRING", "ClockworkAccount", "ClockworkTransport"]

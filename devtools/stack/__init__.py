"""The local stack: everything that an import needs in Azure, as processes of this machine.

`python -m devtools up` starts two registries, Azurite, the managed identity endpoint, one Functions host for HTTP and
one or more for the queues: as on Flex Consumption, where HTTP functions and a queue function run on different
instances. What dies is started again; nothing survives the stack itself.
"""

"""Who this app is towards registries and Azure: which credential goes where, Entra tokens, login servers.

clients.py     the registry clients of one import, each with the right credential
identity.py    Entra tokens for ACR and Azure Resource Manager, from whatever credential wiring.py names
arm.py         the login server of a resource id
"""

"""Speaks the OCI distribution spec over httpx; knows nothing of imports or of Azure Functions.

origin.py       the one gate for every URL, and for every address at connect time
transport.py    the connection pool; retry of requests that may be repeated
challenge.py    what a 401 asks for
tokens.py       the token services: distribution's, and ACR's
credentials.py  who we are, for one registry
auth.py         challenge → token → header; cache, single flight
answers.py      what a registry's answer means: the error tree
client.py       RegistryClient: one method per endpoint
blob.py         reading a blob: ranges, verified length
upload.py       UploadSession: start, append, status, finish, cancel
registries.py   makes clients and keeps their pools and tokens for the life of the process
"""

"""Telling others that an import has ended: a callback that its request named, an event to the installation's endpoint.

wanted.py        what is to be told, decided when the import is accepted; may that URL be called?
delivery.py      one message of the queue "notices": send, or put the next attempt into the queue, or give up
letter.py        what is sent to whom: URL, headers, body
signature.py     the signature of a callback (Standard Webhooks)
docker_hub.py    the answer that Docker Hub's webhooks want
sending.py       one POST, and whether its answer allows another try

The messages come from `run/outbox.py`; what is told and how it stands is part of the record (`state/notice.py`).
"""

"""The life of one run of an import: how it begins, stays alive, ends, is asked to stop.

claim.py           from a message in the queue to the right to act
running.py         the heartbeat that keeps the right, and writes down the progress
ending.py          the four ends of a run
poison.py          messages that the host gave up
put_back.py        a new message for an import whose own is gone or was given up
outbox.py          telling others that it has ended
cancellation.py    asking an import to stop
open_uploads.py    leaving nothing open at the target of an import that has ended without its uploads
following.py       imports of rules: one writer for each target tag
expansion.py       the run of a parent: makes one child for each chosen tag, and sums them up
"""

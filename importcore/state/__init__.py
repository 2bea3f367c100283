"""The values that outlive a process, and their JSON: kept in a table, sent through the queue, shown to users.

record.py        ImportRecord: status, progress, history, and which message may act
message.py       the queue message of an import
notice.py        what others are to be told when it has ended; notice_message.py its queue message
checkpoint.py    what another process needs to go on: the open uploads
progress.py      what a run reports, added up
"""

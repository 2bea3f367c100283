"""What a timer does now and then, beside the path of every import.

backlog.py      how long the import that waits longest has waited, for an alert
orphans.py      imports whose message is gone are put back into the queue
retention.py    finished records are kept for a set time, then removed, and what they left with them
"""

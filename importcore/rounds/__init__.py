"""Rules with a schedule: now and then the source is asked for tags that no event announced.

round_message.py  one check: a repository, from some tag on
rounds.py         a timer begins a round; the queue `events` carries its checks
"""

"""From an event to imports: every door that hears of a push hands it in here.

reception.py  takes an event: the rules, then the imports through `intake.py`
taken.py      what became of it
trial.py      what would become of it, for whoever writes rules
"""

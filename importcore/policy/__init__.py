"""Who may import what, from where, to where, how much of it, and signed by whom.

document.py  policy.yaml as values
policies.py  the policy in force now
door.py      asked before anything is done for a caller, for each child of a selection, and again by each run
"""

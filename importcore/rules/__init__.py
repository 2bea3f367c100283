"""What a push means: the rules of an installation, from an event to the imports that follow from it.

document.py   rules.yaml as values
conditions.py what a rule asks of an event; templates.py  where a target stands
matching.py   an event held to every rule: which match, why the others do not, which imports follow
rulebook.py   the rules in force now
"""

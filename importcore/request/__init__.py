"""What a user wants, and the only place that knows the JSON in which it is said.

model.py             ImportRequest: from a body to a validated value
body.py              the fields of the body; contradictions.py between them
source_access.py     how the source is read: credentials, by name, or this app's identity
selection.py         several imports in one request; selection_body.py its fields, tag_choice.py which tags
callback.py          whom to call when the import has ended
backup_tag.py        the name under which an overwritten image stays reachable
"""

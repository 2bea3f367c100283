"""Documents that an operator writes in YAML (rules, policy): where they lie, and how they are read, and read again.

place.py          where a document lies, as an app setting says it
tree.py           YAML text → plain values, each with its line
yaml_document.py  values → a pydantic model, with every problem named by line and path
part.py          the base of every part of a document
known_keys.py    which key a person may have meant
watched.py        the document in force: read again when it changed
"""

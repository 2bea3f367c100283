"""Documents that an operator writes in YAML (rules, policy): where they lie, and how they are read, and read again.

place.py          where a document lies, as an app setting says it
tree.py           YAML text → plain values, each with its line
yaml_document.py  values → a pydantic model, with every problem named by line and path
watched.py        the document in force: read again when it changed
"""

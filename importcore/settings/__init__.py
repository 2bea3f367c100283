"""Every app setting, read and checked once; the environment itself comes in by `wiring.py` alone.

model.py     Settings: what the rest of the product sees
reader.py    from app settings to values, with every mistake named; values.py one kind of value each
notices.py   telling others that an import has ended
clouds.py    what differs between the Azure clouds
"""

"""For all tests: how hypothesis works through its examples."""

from hypothesis import settings

# No deadline: a slow machine is no defect. Derandomized: the same commit gives the same answer everywhere.
settings.register_profile("transload", deadline=None, derandomize=True)
settings.load_profile("transload")

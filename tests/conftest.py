"""For all tests: how hypothesis works through its examples."""

import os

from hypothesis import settings

# No deadline: a slow machine is no defect. Derandomized: the same commit gives the same answer everywhere.
settings.register_profile("transload", deadline=None, derandomize=True)
# For `make fuzz`: others each time, and very many.
settings.register_profile("deep", deadline=None, derandomize=False, max_examples=3_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "transload"))

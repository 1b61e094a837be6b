"""What holds for every test: no screen, one locale, and the same random examples in every run."""

import os

from hypothesis import settings

# Before anything asks Qt for a screen or a locale, and inherited by the processes that e2e tests start.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["LC_ALL"] = "C.UTF-8"
os.environ.pop("LANGUAGE", None)

# No deadline: how long an example takes depends on the machine, and pytest-timeout stops what hangs. What
# decides whether a change may land draws the same examples every time; `make explore` looks for new ones.
settings.register_profile("gate", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

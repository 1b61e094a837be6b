"""What holds for every test: no screen, one locale, and the same random examples in every CI run."""

import os

from hypothesis import settings

# Before anything asks Qt for a screen or a locale, and inherited by the processes that e2e tests start.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["LC_ALL"] = "C.UTF-8"
os.environ.pop("LANGUAGE", None)

# No deadline: how long an example takes depends on the machine, and pytest-timeout stops what hangs.
settings.register_profile("explore", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "explore")

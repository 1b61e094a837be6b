"""From the start of the process to the first snapshot (headless) and to the first painted window (in memory).

A database of four houses exists already. Beside it: the interpreter alone, and a bare Qt window.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import ROOT, Spent, medians, run_program, show

ROUNDS = 5

PREPARE = """
import sys
from pathlib import Path
from central_monitor.adapters.writer import DatabaseWriter
from microgrid.terms import FOREVER
from node.gridfile import read_gridfile
writer = DatabaseWriter(Path(sys.argv[1]))
writer.save_terms(read_gridfile(Path("resources/chapter9.toml")).terms(range(0, FOREVER)))
writer.close()
"""

# Everything main_central.py does up to there, then the end of the process.
HEADLESS = """
import os, sys
import central_monitor.program as program
start = program.CentralProgram.start
async def first_snapshot(self):
    await start(self)
    self.snapshot()
    os._exit(0)
program.CentralProgram.start = first_snapshot
from central_monitor.bootstrap import main
main(["run", "--headless", "--listen", "127.0.0.1:0", "--database", sys.argv[1]])
raise SystemExit("no snapshot was made")
"""

WINDOW = """
import os, sys
from central_monitor.ui.main_window import CentralWindow
show_snapshot = CentralWindow.show_snapshot
def first_painted(self, snapshot):
    show_snapshot(self, snapshot)
    self.grab()
    os._exit(0)
CentralWindow.show_snapshot = first_painted
from central_monitor.bootstrap import main
main(["run", "--listen", "127.0.0.1:0", "--database", sys.argv[1]])
raise SystemExit("no window was painted")
"""

BARE = """
import os
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication([])
window = QMainWindow()
window.show()
window.grab()
os._exit(0)
"""


def main() -> None:
    """Print the medians of runs taken in turns."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    cases = {
        "Python alone": "pass",
        "bare Qt window": BARE,
        "central headless, first snapshot": HEADLESS,
        "central with window, first painted": WINDOW,
    }
    runs: dict[str, list[Spent]] = {label: [] for label in cases}
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "power.sqlite")
        subprocess.run([sys.executable, "-c", PREPARE, database], cwd=ROOT, check=True)
        environment["XDG_CONFIG_HOME"] = folder
        for _ in range(ROUNDS + 1):
            for label, source in cases.items():
                runs[label].append(run_program("-c", source, database, environment=environment))
    for label, spent in runs.items():
        show(label, medians(spent[1:]))  # the first fills the disk's cache


if __name__ == "__main__":
    main()

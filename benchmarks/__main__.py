"""`python -m benchmarks [--list] [NAME …]`: run the named workloads, or all, each in a process of its own."""

import argparse
import ast
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
PREFIX = "bench_"


def workloads() -> dict[str, str]:
    """What can be run, by name, with the first sentence of what it says of itself."""
    found = {}
    for path in sorted(FOLDER.glob(f"{PREFIX}*.py")):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[path.stem.removeprefix(PREFIX)] = said.partition("\n")[0]
    return found


def main() -> int:
    """Exit code 1 if any workload failed or missed its bar."""
    known = workloads()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the programs.")
    parser.add_argument("--list", action="store_true", help="show the workloads and run none")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(known)} (default: all)")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - known.keys())
    if unknown:
        parser.error(f"there is no workload {', '.join(unknown)}; there are {', '.join(known)}")
    failed = False
    for name in options.names or known:
        print(f"{name}: {known[name]}", flush=True)
        if not options.list:
            # A process each: peak memory and imports of one are not those of another.
            ended = subprocess.run([sys.executable, "-m", f"benchmarks.{PREFIX}{name}"], cwd=FOLDER.parent)
            failed |= ended.returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

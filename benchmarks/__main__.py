"""`python -m benchmarks [NAME…] [--slow] [--json]`: runs the measurements and prints one table."""

import argparse
import json
import sys
from importlib import import_module

from benchmarks.timing import Result, documents, table

NAMES = (
    "model_ready",
    "one_battery",
    "resolve",
    "repair",
    "battery_year",
    "command",
    "solver_policy",
    "journal",
    "telemetry",
    "running",
)


def main() -> int:
    """Measure; 1 if a figure is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--slow", action="store_true", help="also build 1,000 batteries through Pyomo: minutes, 1.5 GB")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"no measurement is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    results: list[Result] = []
    for name in options.names or NAMES:
        print(f"{name} …", file=sys.stderr, flush=True)
        results += import_module(f"benchmarks.{name}").measure(slow=options.slow)
    print(json.dumps(documents(results), indent=2) if options.json else table(results))
    return 0 if all(result.is_reached for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())

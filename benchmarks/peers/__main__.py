"""`python -m benchmarks.peers [PEER…]`: other programs on the same problems, in environments made for them.

Prints one table and writes the numbers, the versions and the machine to `peers.json` in the folder of the environments.
"""

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers.conversation import Peer
from benchmarks.peers.environments import FOLDER, REQUIREMENTS, python_of
from benchmarks.peers.measurements import MEASUREMENTS, Beside, measure, our_versions, table


def main() -> int:
    """Measure; 1 if a figure is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(REQUIREMENTS)}; default: all")
    parser.add_argument("--venvs", type=Path, default=FOLDER, metavar="DIR", help=f"default: {FOLDER}")
    parser.add_argument("--repetitions", type=int, default=7, metavar="N", help="at least 5; default: 7")
    options = parser.parse_args()
    unknown = sorted(set(options.peers) - set(REQUIREMENTS))
    if unknown:
        parser.error(f"no peer is called {', '.join(unknown)}; there are {', '.join(REQUIREMENTS)}")
    if options.repetitions < 5:
        parser.error(f"--repetitions {options.repetitions}: a median wants at least 5")
    folder = options.venvs.expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    before = os.getloadavg()
    results: list[Beside] = []
    versions = {"ours": our_versions()}
    for name in options.peers or REQUIREMENTS:
        python = python_of(name, folder, _tell)
        for measurement in MEASUREMENTS[name]:
            _tell(f"{name}: {measurement.what} …")
            with Peer(python, f"call_{name}", folder / f"{name}.log") as peer:
                versions[name] = peer.versions
                results.append(measure(peer, measurement, options.repetitions))
    document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine() | {"load_before": before, "load_after": os.getloadavg()},
        "versions": versions,
        "results": [result.document() for result in results],
    }
    (folder / "peers.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    _tell(f"written: {folder / 'peers.json'}")
    print(table(results))
    return 0 if all(result.is_reached for result in results) else 1


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _machine() -> dict[str, object]:
    models = [line for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines() if line.startswith("model name")]
    return {"processor": models[0].partition(": ")[2] if models else platform.machine(), "cores": os.cpu_count()}


if __name__ == "__main__":
    sys.exit(main())

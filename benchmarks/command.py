"""How long does the whole command `vpp plan` take, over importing the libraries that a planner needs?"""

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import Result, side_by_side

SITE = Path(__file__).resolve().parent.parent / "site_configs" / "tiny.yaml"
REPETITIONS = 9
MOST_OVER_IMPORTS = 2.0


def measure(**_: bool) -> list[Result]:
    """Compare the tiny site with the imports alone; both are processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        plan = (str(Path(sys.executable).with_name("vpp")), "plan", str(SITE), "--out", folder)
        imports = (sys.executable, "-c", "import pyomo.environ, highspy, pandas")
        return [
            side_by_side(
                "vpp plan site_configs/tiny.yaml, whole command",
                'python -c "import pyomo.environ, highspy, pandas"',
                (lambda _: _run(plan), lambda _: _run(imports)),
                REPETITIONS,
                MOST_OVER_IMPORTS,
            )
        ]


def _run(command: tuple[str, ...]) -> float:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return float("nan")

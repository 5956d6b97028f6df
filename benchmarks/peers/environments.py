"""Where does a peer live? In a virtual environment of its own, outside the tree, made when it is first wanted."""

import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = Path.home() / ".cache" / "vpp-peers"
HIGHS = "highspy==1.16.0"
REQUIREMENTS = {
    "flexmeasures": ("flexmeasures==1.0.1", HIGHS),
    "emhass": ("emhass==0.18.7", HIGHS),
    "linopy": ("linopy==0.10.1", HIGHS),
    "pyomo": ("pyomo==6.10.1", HIGHS, "pydantic>=2.10,<3", "tzdata"),
}
"""What is installed; the versions of everything else are theirs to choose, and are told with the results."""


def python_of(peer: str, folder: Path, tell: Callable[[str], None]) -> Path:
    """The interpreter of a peer's environment, which is made and filled from PyPI unless it stands already.

    Raises:
        subprocess.CalledProcessError: pip cannot install the peer; what it said stands on the standard error.

    """
    home = folder / peer
    python, done = home / "bin" / "python", home / "installed.txt"
    wanted = "\n".join(REQUIREMENTS[peer])
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        tell(f"installing {' '.join(REQUIREMENTS[peer])} into {home}")
        venv.create(home, clear=True, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *REQUIREMENTS[peer]],
            check=True,
            stdout=sys.stderr,
        )
        done.write_text(wanted, encoding="utf-8")
    return python

"""Where are the sites that come with this program?"""

from pathlib import Path

import vpp
from vpp.domain.errors import Fault, InputError

_INSTALLED = Path(vpp.__file__).parent / "site_configs"
_CHECKED_OUT = Path(vpp.__file__).parent.parent / "site_configs"


def shipped_site(name: str) -> Path:
    """The file of a shipped site.

    Raises:
        InputError: no site has this name.

    """
    folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKED_OUT
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        fault = Fault("command line", "--site", name, "not a shipped site", f"There are {', '.join(known)}.")
        raise InputError([fault], "nothing was started")
    return folder / f"{name}.yaml"

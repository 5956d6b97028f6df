"""Where data lie that are not part of the project. Tests that need them skip where they are absent."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared_data(name: str) -> Path:
    """A data file beside this checkout; the test is skipped without it."""
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this checkout")
    return path

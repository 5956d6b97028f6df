"""Every test of a command runs in a folder of its own, where anything written would be seen."""

from functools import partial

import pytest

from tests.vpp.command import Vpp, in_process


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def vpp(capsys, folder) -> Vpp:
    """Run a command: `vpp("plan", path, "--json")`."""
    return partial(in_process, capsys)

"""What runs beside devices starts without the planner's libraries, and only the gate permits."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_daemon_imports_nothing_of_the_planner():
    heavy = ("numpy", "pandas", "pyomo", "highspy", "rich", "fastparquet")
    script = f"import sys, vpp.daemon; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_only_safety_makes_permits():
    makers = set()
    for package in ("vpp", "adapters", "optimizer"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    if called == "Permit":
                        makers.add(path.relative_to(ROOT).as_posix())
    assert makers == {"vpp/safety.py"}


def test_a_permit_is_changed_by_nobody_else():
    """`replace(permit, …)` makes a permit too: outside safety nothing named so is replaced."""
    found = []
    for package in ("vpp", "adapters"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name == "safety.py":
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                is_replace = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "replace"
                if is_replace and node.args and "permit" in ast.unparse(node.args[0]):
                    found.append(path.relative_to(ROOT).as_posix())
    assert found == []

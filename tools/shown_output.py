"""Runs what the documents show, and writes what it prints below it.

python tools/shown_output.py README.md docs/tutorial/plan-your-first-day.md

Three kinds of fenced blocks count. A `console` block holds commands after `$ ` and what each prints; a command with
nothing below it is run and may print anything. A block under `<!-- output of: COMMAND -->` is what the command prints.
A block under `<!-- file: PATH -->` is a file that later commands need. All run in a copy of the project, so nothing
they write stays.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(
    r"(?P<head>(?:^<!-- (?P<kind>file|output of): (?P<what>[^\n]+) -->\n)?^```(?P<language>\w*)\n)(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
PROMPT = re.compile(r"^\$ ", re.MULTILINE)
ANY_LINES = "[…]"
"""A line of shown output that stands for any number of lines."""
GAP = re.compile(r"(?<=\S) {2,}")
LIMIT = re.compile(r"(?P<limit>^  [\w ]+: \S.*?) {2,}\S.*? {2,}(?P<worth>[\d.,]+ [A-Z]{3}/kWh?)$")
"""A row of what limits a plan. Over steps in which nothing moves, its price may stand at any of them."""
COPIED = ("site_configs", "optimizer", "vpp", "adapters", "tests")
LONGEST_S = 120


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    language: str
    body: str
    file: str | None
    """Path of the file that it holds."""
    output_of: str | None
    """Command that prints it."""


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a document, in order."""
    return [_block(found) for found in FENCE.finditer(text)]


def _block(found: "re.Match[str]") -> Block:
    kind, what = found["kind"], found["what"]
    return Block(
        found["language"],
        found["body"],
        what if kind == "file" else None,
        what if kind == "output of" else None,
    )


def shown_runs(block: Block) -> Iterator[tuple[str, str]]:
    """Commands of a block, each with the output shown for it."""
    if block.output_of is not None:
        yield block.output_of, block.body
    elif block.language == "console":
        for part in PROMPT.split(block.body)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def make_workspace(folder: Path) -> Path:
    """Copy what a user has, so that commands may write there."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def write_file(block: Block, workspace: Path) -> None:
    """Write the file that a block holds."""
    if block.file is not None:
        path = workspace / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.body, "utf-8")


def run(command: str, workspace: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command as a reader would; stdout and stderr together, without trailing spaces."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(workspace),
        "PYTHONUTF8": "1",
        "LC_ALL": "C.UTF-8",
        "HOME": str(workspace),
    }
    ended = subprocess.run(  # noqa: S603 - the documents are ours
        ["/usr/bin/env", "bash", "-o", "pipefail", "-c", command],
        cwd=workspace,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=LONGEST_S,
        check=False,
    )
    ended.stdout = "".join(f"{line.rstrip()}\n" for line in ended.stdout.splitlines())
    return ended


def fits(output: str, shown: str) -> bool:
    """Whether an output is the one shown, left-out lines, widths of columns and the times of limits aside."""
    lines = (r"(?:.*\n)*" if line == ANY_LINES else re.escape(_compared(line)) + r"\n" for line in shown.splitlines())
    return re.fullmatch("".join(lines), "".join(f"{_compared(line)}\n" for line in output.splitlines())) is not None


def _compared(line: str) -> str:
    return GAP.sub("  ", LIMIT.sub(r"\g<limit>  \g<worth>", line))


def refreshed(text: str, workspace: Path) -> str:
    """A document with what its commands print now; what leaves lines out is left as it is where it still fits."""

    def fresh(found: "re.Match[str]") -> str:
        block = _block(found)
        write_file(block, workspace)
        outputs = [(command, shown, run(command, workspace).stdout) for command, shown in shown_runs(block)]
        told = [(command, shown if not shown or fits(now, shown) else now) for command, shown, now in outputs]
        if block.output_of is not None:
            return f"{found['head']}{told[0][1]}```"
        body = "".join(f"$ {command}\n{output}" for command, output in told)
        return f"{found['head']}{body or block.body}```"

    return FENCE.sub(fresh, text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            document = Path(name)
            document.write_text(refreshed(document.read_text("utf-8"), make_workspace(Path(folder))), "utf-8")

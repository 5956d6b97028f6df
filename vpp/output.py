"""Where words go: results to stdout, everything else to stderr, one JSON document if that was asked for."""

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from vpp.domain.errors import InfeasibleError, InputError, UnavailableError
from vpp.report.refusals import NARROW, contradiction, refusal

if TYPE_CHECKING:
    from rich.console import Console

_ASCII = str.maketrans(
    {"−": "-", "–": "-", "…": "..", "·": "|", "×": "x", "✓": "ok", "◇": "<>", "\u00a0": " "}
    | dict(zip("▁▂▃▄▅▆▇█", "_.:-=+*#", strict=True))
)


class Output:
    """The terminal, or whatever stands in its place."""

    def __init__(self, *, is_json: bool, is_ascii: bool) -> None:
        self.is_json = is_json
        encoding = (sys.stdout.encoding or "").lower().replace("-", "")
        self.is_ascii = is_ascii or encoding not in ("utf8", "utf8sig")
        self.is_terminal = sys.stdout.isatty() and not is_json
        self.shows_progress = sys.stderr.isatty()
        self.width = shutil.get_terminal_size((NARROW, 24)).columns if self.is_terminal else NARROW

    def result(self, text: str, document: Any) -> None:
        """Print a result: the document with `--json`, else the text."""
        if self.is_json:
            self._print(json.dumps(document, indent=2, ensure_ascii=self.is_ascii, allow_nan=False) + "\n")
        else:
            self._print(self._twin(text))

    def say(self, text: str) -> None:
        """Say something that is no result."""
        print(self._twin(text), file=sys.stderr)

    def console(self) -> "Console":
        """Where a picture that changes is drawn."""
        from rich.console import Console  # noqa: PLC0415 - only a terminal needs it

        return Console(stderr=True)

    def bold(self, text: str) -> str:
        """A word that stands out, where that is possible and wanted."""
        return f"\033[1m{text}\033[0m" if self.is_terminal and "NO_COLOR" not in os.environ else text

    def refuse(self, error: InputError, code: int) -> None:
        """Name every fault of an input."""
        document = {"exit_code": code, "consequence": error.consequence, "faults": [vars(f) for f in error.faults]}
        self._fail(refusal(error, code), document)

    def no_answer(self, error: InfeasibleError, code: int) -> None:
        """Say why there is no plan."""
        document = {"exit_code": code, "conflicts": [vars(conflict) for conflict in error.conflicts]}
        self._fail(contradiction(error, code), document)

    def unavailable(self, error: UnavailableError, code: int) -> None:
        """Say what does not answer, and what to do."""
        document = {"exit_code": code, "thing": error.thing, "reason": error.reason, "remedy": error.remedy}
        self._fail(f"{error.thing} {error.reason}\n  {error.remedy:<{NARROW - 10}} exit {code}", document)

    def internal_error(self, error: BaseException, code: int) -> None:
        """Own up to a fault of this program."""
        text = f"vpp failed through a fault of its own: {error}\n  Run it again with --debug and report what it shows."
        self._fail(f"{text}{'exit ' + str(code):>20}", {"exit_code": code, "internal_error": str(error)})

    def interrupted(self, code: int) -> None:
        """Say that the user ended it."""
        self._fail("\ninterrupted", {"exit_code": code})

    def _fail(self, text: str, document: Any) -> None:
        if self.is_json:
            self._print(json.dumps({"error": document}, indent=2, ensure_ascii=self.is_ascii) + "\n")
        self.say(text)

    @staticmethod
    def _print(text: str) -> None:
        """Print a result, unless its reader has seen enough and gone away."""
        try:
            print(text, end="", flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes at its end

    def _twin(self, text: str) -> str:
        """The same text, without a character above 127 where only those can be shown."""
        return text.translate(_ASCII).encode("ascii", "replace").decode() if self.is_ascii else text

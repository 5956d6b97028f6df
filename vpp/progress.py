"""Shows how far a long piece of work is: real stages, and of a search its gap and bound, never a percentage."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from vpp.output import Output
from vpp.report.wording import money

if TYPE_CHECKING:
    from rich.status import Status

    from optimizer.highs import Stand

PATIENCE_S = 2.0
"""A search shorter than this shows nothing while it runs."""
LONG_DECISION = 4000
"""So many directions take about as long to decide."""


class Progress:
    """Stages on stderr, and a line that changes while a search runs. It is the `Watch` of a search."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._status: Status | None = None
        self._size = ""

    def stage(self, name: str, text: str, seconds: float) -> None:
        """A stage that is over."""
        if self._output.shows_progress:
            self._output.say(f"  {name:<7} {text:<60} {seconds:6.2f} s")

    def built(self, rows: int, columns: int) -> None:
        """Take note of the size of a model before it is solved."""
        self._size = f"{rows:,} rows, {columns:,} columns"

    def searching(self, stand: "Stand") -> None:
        """Show how a long search stands."""
        if stand.elapsed_s < PATIENCE_S:
            return
        has_answer = abs(stand.cost) < 1e300  # noqa: PLR2004 - infinite without an answer
        found = f"gap {100 * stand.gap_fraction:.2f} %  best {money(-stand.cost / 1000)}" if has_answer else self._size
        self._show(f"solve  {found}  {stand.elapsed_s:.0f} s   Ctrl-C takes the best so far")

    def deciding(self, stores: int, steps: int) -> None:
        """Show that stores are decided one by one, where that takes long."""
        if stores * steps > LONG_DECISION:
            self._show(f"solve  directions of {stores:,} stores over {steps:,} steps")

    def passing(self, clock: str, share: float) -> None:
        """Show how far a simulated day is."""
        self._show(f"simulated time {clock}   {100 * share:.0f} % of the day")

    def _show(self, text: str) -> None:
        if not self._output.shows_progress:
            return
        if self._status is None:
            from rich.console import Console  # noqa: PLC0415 - only long work on a terminal needs it

            self._status = Console(stderr=True).status("")
            self._status.start()
        self._status.update(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

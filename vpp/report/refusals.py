"""What went wrong, in the user's words: the thing, the value, what is allowed, the remedy."""

from collections.abc import Iterator, Sequence

from vpp.domain.errors import Fault, InfeasibleError, InputError
from vpp.report.wording import Calendar

NARROW = 80
"""Columns of a terminal about which nothing is known."""
WIDEST_PATH, WIDEST_VALUE = 36, 20


def refusal(error: InputError, code: int) -> str:
    """Faults by file: the place, the value, what is allowed, and below it the remedy."""
    lines: list[str] = []
    for file in dict.fromkeys(fault.file for fault in error.faults):
        faults = [fault for fault in error.faults if fault.file == file]
        lines += [f"{file}: {len(faults)} fault{'s' if len(faults) > 1 else ''}", "", *_fault_lines(faults), ""]
    lines.append(_with_code(error.consequence, code))
    return "\n".join(lines)


def _fault_lines(faults: Sequence[Fault]) -> Iterator[str]:
    path_width = min(WIDEST_PATH, max(len(fault.path) for fault in faults))
    value_width = min(WIDEST_VALUE, max(len(fault.value) for fault in faults))
    for fault in faults:
        line = "" if fault.line is None else f" (line {fault.line})"
        place = f"  {fault.path:<{path_width}}  {fault.value:<{value_width}}"
        problem = f"{fault.problem}{line}"
        if len(place) + 2 + len(problem) <= NARROW:
            yield f"{place}  {problem}"
        else:
            yield place.rstrip()
            yield f"      {problem}"
        if fault.remedy:
            yield f"      {fault.remedy}"


def contradiction(error: InfeasibleError, code: int) -> str:
    """The limits of which one must give way, and when they meet."""
    if error.is_certain and not error.conflicts:
        told = "  That is certain, but not which limits contradict one another: it takes too long to find."
        return f"{_with_code('No plan keeps every limit', code)}\n{told}"
    if not error.conflicts:
        remedy = "  Allow more in planning.time_limit_s, or leave it out."
        return f"{_with_code('No plan was found in the time allowed', code)}\n{remedy}"
    calendar = Calendar(error.horizon)
    lines = [
        _with_code("No plan keeps every limit", code),
        "  These contradict one another; one of them must give way:",
    ]
    width = max(len(f"{c.owner}: {c.limit}") for c in error.conflicts)
    for conflict in error.conflicts:
        when = calendar.spans(conflict.steps) if conflict.steps else ""
        lines.append(f"    {f'{conflict.owner}: {conflict.limit}':<{width}}   {when}".rstrip())
    return "\n".join(lines)


def _with_code(text: str, code: int) -> str:
    return f"{text:<{NARROW - 8}} exit {code}"

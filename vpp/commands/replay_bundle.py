"""`vpp replay run.zip`: makes a bundle's plan again, and prints what comes out otherwise."""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from optimizer.planner import compare, plan
from vpp.bundle import versions
from vpp.domain.errors import Fault, InputError
from vpp.intake import take_in
from vpp.output import Output
from vpp.progress import Progress
from vpp.recorded import Recorded, opened
from vpp.report.files import digest as digest_of
from vpp.report.files import plan_document, plan_tables

OF_ONE_RUN = ("created_utc", "timing_s", "seal")
"""What differs between two runs on the same inputs, and nothing else."""
MOST_SHOWN = 20
ABSENT = "nothing"
CONSEQUENCE = "nothing was replayed"

Difference = tuple[str, str, str]
"""Where, what the bundle holds, and what comes out now."""


def replay_bundle(options: argparse.Namespace, output: Output) -> bool:
    """Plan again from what a bundle carries.

    Returns:
        Whether anything differs.

    """
    path: Path = options.site
    if options.state is not None:
        fault = Fault("command line", "--state", str(options.state), "means nothing for a bundle", "Leave it out.")
        raise InputError([fault], CONSEQUENCE)
    with opened(path, CONSEQUENCE) as recorded:
        tables, document = _made_again(recorded, output)
        found = list(_differences("", _comparable(recorded.document), _comparable(document)))
        for name, table in tables.items():
            before = recorded.folder / name
            found += _lines(name, before.read_text("utf-8") if before.exists() else "", table)
        now = versions()
        others = {n: (then, now.get(n, ABSENT)) for n, then in (recorded.versions or {}).items() if then != now.get(n)}
        made = f"{path}: plan of {recorded.document['site_id']}, made {recorded.document['created_utc']}"
    ended_early = _ended_early(recorded.document) or _ended_early(document)
    text = _text(made, found, others, is_expected=bool(found) and ended_early)
    output.result(text, _document(path, found, others) | {"ended_early": ended_early})
    return bool(found)


def _made_again(recorded: Recorded, output: Output) -> tuple[dict[str, str], dict[str, Any]]:
    """The tables and the document of the plan, as they come out now."""
    created = datetime.now(UTC)
    case = take_in(recorded.request, created)
    with Progress(output) as progress:
        made = compare(case.problem, plan(case.problem, created, progress))
    made = replace(made, premises=case.premises, inputs=recorded.inputs)
    tables = plan_tables(made)
    return tables, plan_document(made, {name: digest_of(text) for name, text in tables.items()})


def _comparable(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in OF_ONE_RUN}


def _differences(path: str, then: Any, now: Any) -> Iterator[Difference]:
    """Differences in depth, of values as JSON has them."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*then, *now)):
            yield from _differences(f"{path}.{key}" if path else key, then.get(key, ABSENT), now.get(key, ABSENT))
    elif isinstance(then, list) and isinstance(now, list):
        for index, (before, after) in enumerate(zip_longest(then, now, fillvalue=ABSENT)):
            yield from _differences(f"{path}[{index}]", before, after)
    elif then != now or type(then) is not type(now):
        yield path, str(then), str(now)


def _lines(name: str, then: str, now: str) -> Iterator[Difference]:
    for number, (before, after) in enumerate(zip_longest(then.splitlines(), now.splitlines(), fillvalue=ABSENT), 1):
        if before != after:
            yield f"{name} line {number}", before, after


def _ended_early(document: Mapping[str, Any]) -> bool:
    """Whether a search for a plan ended before it was known that there is no better one."""
    return document["status"] == "feasible" or not all(repair.get("is_least", True) for repair in document["repairs"])


def _text(made: str, found: list[Difference], others: Mapping[str, tuple[str, str]], *, is_expected: bool) -> str:
    lines = [made]
    lines += [f"  made with {name} {then}, this is {now}" for name, (then, now) in others.items()]
    if not found:
        lines.append("  planned again: the same plan, byte by byte")
    else:
        lines.append(f"  planned again: {len(found):,} difference{'' if len(found) == 1 else 's'}")
    if is_expected:
        lines.append("  The search ended before it knew the best plan; where it is ended by time, each ends elsewhere.")
    for place, then, now in found[:MOST_SHOWN]:
        lines.append(f"  {place}: {then}, now {now}")
    if len(found) > MOST_SHOWN:
        lines.append(f"  and {len(found) - MOST_SHOWN:,} more; --json shows them all")
    return "\n".join(lines) + "\n"


def _document(path: Path, found: list[Difference], others: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        "bundle": str(path),
        "is_same": not found,
        "versions": {name: {"bundle": then, "now": now} for name, (then, now) in others.items()},
        "differences": [{"path": place, "bundle": then, "now": now} for place, then, now in found],
    }

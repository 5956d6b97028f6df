"""`vpp replay`: recomputes every decision of the journal, or the plan of a bundle, and prints what differs."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict

from vpp.commands.audit import open_journal
from vpp.control.decide import decide
from vpp.domain.errors import Fault, InputError
from vpp.journal import JournalError
from vpp.output import Output
from vpp.records import Kind, Record
from vpp.replay import KINDS, replay
from vpp.safety import permits

DIFFERENT = 1
"""Exit code where something comes out otherwise."""
BUNDLE = ".zip"
MOST_SHOWN = 50
"""Differences that are printed as text; all of them stand in the document."""


def run(options: argparse.Namespace, output: Output) -> int:
    """Replay a journal, or a bundle.

    Returns:
        0 where all comes out the same, 1 where something does not.

    """
    if options.site is not None and options.site.suffix == BUNDLE:
        from vpp.commands.replay_bundle import replay_bundle  # noqa: PLC0415 - a journal needs no planner

        return DIFFERENT if replay_bundle(options, output) else 0
    journal = open_journal(options, "nothing was replayed")
    counts = dict.fromkeys(KINDS, 0)

    def counted(records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            counts[record.kind] += 1
            yield record

    try:
        differences = list(replay(counted(journal.records(KINDS)), decide, permits))
    except JournalError as error:
        remedy = "`vpp audit verify` names the first broken record."
        raise InputError([Fault(str(error.path), "", "", error.reason, remedy)], "not all was replayed") from error
    finally:
        journal.close()
    decisions = f"{counts[Kind.DECISION]:,} decision{'' if counts[Kind.DECISION] == 1 else 's'}"
    lines = [f"{journal.path}: {decisions}, {len(differences):,} difference{'' if len(differences) == 1 else 's'}"]
    for one in differences[:MOST_SHOWN]:
        lines += [f"  record {one.seq} of {one.at}", f"    {one.path}: {one.journalled}, now {one.recomputed}"]
    if len(differences) > MOST_SHOWN:
        lines.append(f"  and {len(differences) - MOST_SHOWN:,} more; --json shows them all")
    document = {
        "journal": str(journal.path),
        "decision_count": counts[Kind.DECISION],
        "differences": [asdict(one) for one in differences],
    }
    output.result("\n".join(lines) + "\n", document)
    return DIFFERENT if differences else 0

"""`vpp audit verify`: proves that no record of the journal was changed, or names the first that was."""

import argparse
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vpp.domain.errors import Fault, InputError
from vpp.journal import Broken, Head, JournalError, JournalReader
from vpp.output import Output
from vpp.state_folder import folder_beside, journal_in

BROKEN = 2
"""Exit code of a journal that is not as it was written."""
_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-fA-F]{64})")


def run(options: argparse.Namespace, output: Output) -> int:
    """Verify a journal.

    Returns:
        0 where every hash holds, 2 where one does not.

    """
    published = None if options.head is None else _head(options.head)
    journal = open_journal(options, "nothing was verified")
    broken: Broken | None
    try:
        head, span = journal.head(), journal.span()
        broken = journal.verify(published)
    except JournalError as error:
        head, span, broken = Head(0, ""), None, Broken(1, None, error.reason)
    finally:
        journal.close()
    document = {
        "journal": str(journal.path),
        "is_unbroken": broken is None,
        "last_seq": head.seq,
        "first_at": span[0] if span else None,
        "last_at": span[1] if span else None,
        "head": f"{head.seq}:{head.hash}",
        "broken": None if broken is None else asdict(broken),
    }
    output.result(_text(document, broken), document)
    return 0 if broken is None else BROKEN


def open_journal(options: argparse.Namespace, consequence: str) -> JournalReader:
    """The journal of the state folder that the command line names.

    Raises:
        InputError: there is none, or it cannot be read.

    """
    path = journal_path(options.site, options.state, consequence)
    try:
        return JournalReader(path)
    except JournalError as error:
        raise InputError([Fault(str(path), "", "", error.reason)], consequence) from error


def journal_path(site: Path | None, state: Path | None, consequence: str) -> Path:
    """Where the journal lies; `state` wins over the folder beside the site file.

    Raises:
        InputError: neither is given.

    """
    if state is not None:
        return journal_in(state)
    if site is None:
        remedy = "Name the site file, or the folder with --state."
        raise InputError([Fault("command line", "SITE.yaml", "–", "is required without --state", remedy)], consequence)
    return journal_in(folder_beside(site))


def _head(text: str) -> Head:
    match = _HEAD.fullmatch(text)
    if match is None:
        fault = Fault("command line", "--head", text, "must be a number, a colon and 64 hexadecimal digits")
        raise InputError([fault], "nothing was verified")
    return Head(int(match[1]), match[2].lower())


def _text(document: dict[str, Any], broken: Broken | None) -> str:
    first, last = document["first_at"], document["last_at"]
    span = f"from {first} to {last}" if first else "no instant can be read"
    count = f"{document['last_seq']:,} record{'' if document['last_seq'] == 1 else 's'}"
    lines = [f"  {count if broken is None else 'last record ' + str(document['last_seq'])}, {span}"]
    if broken is None:
        lines = [f"{document['journal']}: unbroken", *lines, f"  head {document['head']}"]
    else:
        at = "" if broken.at is None else f", dated {broken.at}"
        what = [f"  record {broken.seq}{at}: {broken.problem}", "  The records before it are as they were written."]
        lines = [f"{document['journal']}: BROKEN", *what, *lines, f"exit {BROKEN}"]
    return "\n".join(lines) + "\n"

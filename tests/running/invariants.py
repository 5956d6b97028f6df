"""What must hold after every test, whatever went wrong in it: from what was heard, and from the journal."""

import contextlib
import io
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from tests.running.ear import ROOT, Heard
from vpp.cli import main

Said = tuple[str, dict]
"""A device, and what it said."""


def check(heard: Sequence[Heard], state: Path, disorderly: Collection[str] = ()) -> None:
    """Every invariant that can be seen from outside.

    Args:
        heard: All messages.
        state: The dispatcher's state folder.
        disorderly: Devices that say things twice or in another order.

    """
    commands = {(_asset(h), h.document["id"]): h.document for h in heard if _is(h, "cmd") and _is_command(h)}
    acks = [(_asset(h), h.document) for h in heard if _is(h, "ack") and _asset(h) not in disorderly]
    no_command_is_taken_twice(acks)
    no_command_is_taken_after_its_time(commands, acks)
    no_command_is_retained(heard)
    terms_never_fall(acks)
    if (state / "journal.sqlite").exists():
        the_journal_is_whole(state)


def no_command_is_taken_twice(acks: Sequence[Said]) -> None:
    taken = Counter((asset, ack["id"]) for asset, ack in acks if ack["status"] == "accepted")
    assert not [key for key, count in taken.items() if count > 1]


def no_command_is_taken_after_its_time(commands: Mapping[tuple[str, str], dict], acks: Sequence[Said]) -> None:
    for asset, ack in acks:
        if ack["status"] == "accepted" and (asset, ack["id"]) in commands:
            assert _at(ack["at"]) < _at(commands[asset, ack["id"]]["valid_until"])


def no_command_is_retained(heard: Sequence[Heard]) -> None:
    own = [h for h in heard if _is(h, "cmd") and h.payload and _is_command(h)]
    assert not [h for h in own if h.is_retained and h.document.get("reason") != "a vandal"]


def terms_never_fall(acks: Sequence[Said]) -> None:
    seen: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for asset, ack in acks:
        if ack["status"] == "accepted":
            seen[asset].append((ack["epoch"], ack["seq"]))
    for stamps in seen.values():
        assert stamps == sorted(set(stamps))


def the_journal_is_whole(state: Path) -> None:
    for command in (("audit", "verify"), ("replay",)):
        told = io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            code = main([*command, "--state", str(state)])
        assert code == 0, told.getvalue()


def _is(heard: Heard, kind: str) -> bool:
    parts = heard.topic.removeprefix(f"{ROOT}/").split("/")
    return len(parts) == 2 and parts[1] == kind and bool(heard.payload)


def _asset(heard: Heard) -> str:
    return heard.topic.removeprefix(f"{ROOT}/").split("/")[0]


def _is_command(heard: Heard) -> bool:
    try:
        return isinstance(heard.document, dict) and "id" in heard.document
    except ValueError:
        return False


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)

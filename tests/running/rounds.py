"""Kill a dispatcher again and again while an operator asks for things; then read what became of every request.

Each request has a power of its own, so that every command tells which request it comes from.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from tests.running.ear import Ear
from tests.running.processes import Site
from vpp.domain.override import AnswerStatus
from vpp.journal import JournalReader
from vpp.records import Answered, Commanded, Record
from vpp.recovery import active_overrides, standing

OPERATOR = "kim"
LONGEST_LIFE_S = 2.5
"""A dispatcher is killed at a random instant of the first seconds of its process, or after it came up, in turn."""
HOLDS_S = (0.5, 3.0)
ASKS_EVERY_S = (0.05, 0.4)
YES = ("accepted", "clipped")


@dataclass(frozen=True)
class Outcome:
    """What the rounds came to."""

    rounds: int
    asked: int
    asked_again: int
    answered: int
    said_yes: int
    commanded: int
    """Requests that became commands."""
    lost: tuple[str, ...]
    """Requests that were answered, and whose answer is not in the journal."""
    twice: tuple[str, ...]
    """Requests that were accepted more than once, and commands that a device took more than once."""
    late: tuple[str, ...]
    """Requests that became a command before they were accepted or after their end."""
    unended: tuple[str, ...]
    """Requests that hold although their time is over."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, done twice or done late."""
        return not (self.lost or self.twice or self.late or self.unended)


class _Operator:
    """Asks at random instants until told to stop; sometimes the same again."""

    def __init__(self, ear: Ear, seed: int) -> None:
        self._ear, self._random = ear, random.Random(seed)
        self.asked: dict[str, dict[str, Any]] = {}
        self.asked_again = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _ask(self) -> None:
        while not self._stop.wait(self._random.uniform(*ASKS_EVERY_S)):
            again = self.asked and self._random.random() < 0.2
            request = self._random.choice(list(self.asked.values())[-20:]) if again else self._new()
            self.asked_again += bool(again)
            self._ear.send(f"op/{OPERATOR}/req", request)

    def _new(self) -> dict[str, Any]:
        number = len(self.asked) + 1
        request = self._ear.request(
            "bess1", "set_export_kw", round(-900 + number / 64, 6), operator=OPERATOR,
            duration_s=self._random.uniform(*HOLDS_S),
        )  # fmt: skip
        self.asked[request["id"]] = request
        return request


def kill_again_and_again(site: Site, rounds: int, seed: int, told: Callable[[int], None] = lambda _: None) -> Outcome:
    """Do so many rounds at a site whose devices are up, and let it come to rest.

    Args:
        site: The site.
        rounds: How often the dispatcher is killed.
        seed: Of the instants.
        told: Called after each round with its number.

    """
    chance, began = random.Random(seed), site.ear.now()
    with _Operator(site.ear, seed) as operator:
        for number in range(1, rounds + 1):
            since = site.ear.now()
            daemon = site.start("run")
            if number % 2:
                site.ear.wait("dispatcher/state", lambda heard: heard.document["online"], 20, since)
            time.sleep(chance.uniform(0.0, LONGEST_LIFE_S))
            daemon.kill()
            told(number)
    last = site.run()
    time.sleep(HOLDS_S[1] + 1.0)
    last.popen.terminate()
    last.popen.wait(10)
    return _read(site, operator, rounds, began)


def _read(site: Site, operator: _Operator, rounds: int, began: int) -> Outcome:
    answers = [h.document for h in site.ear.all(f"op/{OPERATOR}/resp", began)]
    with closing(JournalReader(site.state / "journal.sqlite")) as journal:
        records = standing(journal.records())
    written = Counter((b.answer.id, str(b.answer.status)) for b in _bodies(records, Answered))
    said = {(a["id"], a["status"]) for a in answers if a["status"] != "ended"}
    held = {
        b.override.value: (b.override.request_id, b.override.since, b.override.until)
        for b in _bodies(records, Answered)
        if b.override is not None and b.answer.status is not AnswerStatus.ENDED
    }
    commands = [b.command for b in _bodies(records, Commanded) if b.command.export_kw in held]
    yes = Counter(name for (name, status), count in written.items() if status in YES for _ in range(count))
    taken = Counter(h.document["id"] for h in site.ear.all("bess1/ack", began) if h.document["status"] == "accepted")
    return Outcome(
        rounds=rounds,
        asked=len(operator.asked),
        asked_again=operator.asked_again,
        answered=len({name for name, _ in said}),
        said_yes=len({name for name, status in said if status in YES}),
        commanded=len({command.export_kw for command in commands}),
        lost=tuple(sorted(name for name, status in said if not written[name, status])),
        twice=tuple(sorted([n for n, c in yes.items() if c > 1] + [n for n, c in taken.items() if c > 1])),
        late=tuple(sorted({held[c.export_kw][0] for c in commands if not _is_in(c.issued_at, *held[c.export_kw][1:])})),
        unended=tuple(o.request_id for o in active_overrides(records, datetime.now().astimezone())),
    )


def _is_in(at: datetime, since: datetime, until: datetime) -> bool:
    return since <= at < until


def _bodies(records: Iterable[Record], kind: type) -> list[Any]:
    return [record.body for record in records if isinstance(record.body, kind)]

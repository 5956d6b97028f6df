"""What the documents say of a running site is what it says: payloads, keys, codes, records and commands."""

import asyncio
import json
import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from adapters import device_messages, market_messages, operator_messages
from adapters.scenario import Scenario
from adapters.topics import Topics
from tools.shown_output import ROOT
from vpp.cli import _parser
from vpp.commands.simulate import read_scenario
from vpp.demo_site import parsed
from vpp.dispatch.status import plan_document, status_document
from vpp.domain.override import Action
from vpp.domain.unit import Unit
from vpp.records import Kind
from vpp.rehearsal import Rehearsal, rehearse
from vpp.scene import Scene

DOCS = ROOT / "docs"
TINY = ROOT / "site_configs" / "tiny.yaml"
EXAMPLE = re.compile(r"<!-- on: (?P<topic>\S+) -->\n```json\n(?P<payload>.*?)```", re.DOTALL)
EXAMPLES = [
    (path.name, found["topic"], found["payload"])
    for path in sorted(DOCS.glob("**/*.md"))
    for found in EXAMPLE.finditer(path.read_text("utf-8"))
]
READERS = {
    "birth": device_messages.read_birth,
    "state": device_messages.read_state,
    "tele": device_messages.read_telemetry,
    "cmd": device_messages.read_command,
    "ack": device_messages.read_ack,
    "req": operator_messages.read_request,
    "resp": operator_messages.read_answer,
    "signal": market_messages.read_signal,
    "feed": market_messages.read_feed,
    "feed ack": market_messages.read_feed_answer,
}
CODE = re.compile(r"`(\w+)`")


def text_of(*parts: str) -> str:
    return DOCS.joinpath(*parts).read_text("utf-8")


def read(topic: str, payload: bytes) -> object:
    """An example as the program reads it."""
    match topic.split("/"):
        case ["dispatcher", "state"]:
            return operator_messages.read_dispatcher_state(payload)
        case ["feed", series]:
            return READERS["feed"](series, payload)
        case ["feed", series, "ack"]:
            return READERS["feed ack"](series, payload)
        case ["alarm", code, asset]:
            return operator_messages.read_alarm(code, asset, payload)
        case [*_, owner, kind]:
            return READERS[kind](owner, payload)
    raise AssertionError(topic)


@cache
def running() -> Rehearsal:
    """The tiny site after a minute of following its plan."""
    site_file, start = parsed(TINY), datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    rehearsal = rehearse(TINY, site_file, start)
    asyncio.run(rehearsal.run(start + timedelta(seconds=60)))
    return rehearsal


def keys_of(document: object) -> object:
    """The keys of a document in depth, whatever its values."""
    return {key: keys_of(value) for key, value in document.items()} if isinstance(document, dict) else None


def rows(text: str, heading: str) -> set[str]:
    """Names in the first column of the tables below a heading, up to the next heading of its level."""
    level = heading.split(" ", maxsplit=1)[0]
    below = text.partition(f"{heading}\n")[2]
    assert below, heading
    part = re.split(rf"^#{{1,{len(level)}}} ", below, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| (.*?) \|", part, re.MULTILINE)
    return {name for cell in cells for name in CODE.findall(cell)}


def test_examples_are_shown_of_everything_that_a_device_and_an_operator_say():
    kinds = {topic.rsplit("/", 1)[-1] for _, topic, _ in EXAMPLES}
    assert kinds >= {"birth", "state", "tele", "cmd", "ack", "req", "resp", "status", "signal"}


@pytest.mark.parametrize(("page", "topic", "payload"), EXAMPLES, ids=[f"{page}:{topic}" for page, topic, _ in EXAMPLES])
def test_every_example_of_a_payload_is_read_by_the_program(page, topic, payload):
    Topics("tiny").parse(f"vpp/v1/tiny/{topic}")
    if topic != "dispatcher/status":
        assert read(topic, payload.encode()) is not None


def test_the_example_of_a_status_has_the_keys_of_a_real_one():
    clock = running().clock
    now = status_document(running().operation.dispatcher, clock.now(), clock.mono_s())
    (shown,) = (payload for _, topic, payload in EXAMPLES if topic == "dispatcher/status")
    assert keys_of(json.loads(shown)) == keys_of(now)
    named = rows(text_of("reference", "mqtt.md"), "## `dispatcher/status`")
    assert set(now) | {key for asset in now["assets"].values() for key in asset} <= named | {"plan"}


def test_the_keys_of_the_plan_topic_and_of_a_demos_summary_are_described():
    operation = running().operation
    course = operation.dispatcher.course
    assert course is not None
    assert set(plan_document(course)) == rows(text_of("reference", "mqtt.md"), "## `plan`") - {"ok"}
    _, summary = Scene(parsed(TINY), operation, running().clock.now()).summary(1.0)
    assert set(summary) == rows(text_of("reference", "demo-summary.md"), "# The summary of a demo")


def test_every_answer_code_and_action_is_described():
    text = text_of("how-to", "override-a-site.md")
    source = (ROOT / "vpp" / "dispatch" / "desk.py").read_text("utf-8")
    codes = set(re.findall(r'RejectedError\("(\w+)"', source)) | {
        "ok",
        "clipped",
        "not_heard",
        "over",
        "replaced",
        "no_journal",
    }
    assert len(codes) > 15
    assert codes <= set(CODE.findall(text.partition("## Answers")[2]))
    assert {action.value for action in Action} == rows(text, "## Actions")


def test_every_code_of_a_feed_is_described():
    source = (ROOT / "vpp" / "dispatch" / "feeds.py").read_text("utf-8")
    codes = set(re.findall(r'return "(\w+)", f"', source)) | {"no_journal"}
    assert {"unknown_series", "implausible", "older", "past", "too_far", "not_yet"} <= codes
    assert codes <= rows(text_of("how-to", "feed-prices-and-forecasts.md"), "## By topic")


def test_every_kind_of_record_and_field_of_a_unit_is_described():
    assert {kind.value for kind in Kind} == rows(text_of("explanation", "journal.md"), "## What stands in it")
    assert {field.name for field in fields(Unit)} - {"id", "charge_efficiency", "discharge_efficiency"} <= rows(
        text_of("how-to", "add-an-asset-type.md"), "## 1. The schema"
    )


def test_every_event_and_fault_of_a_scenario_is_described_and_the_scenarios_shown_fit_the_site(tmp_path: Path):
    text = text_of("how-to", "simulate-faults.md")
    definitions = Scenario.model_json_schema()["$defs"].values()
    for key, heading in (("event", "## Events"), ("fault", "## Faults")):
        found = [d["properties"][key] for d in definitions if key in d["properties"]]
        assert {word for one in found for word in one.get("enum", [one.get("const")])} == rows(text, heading)
    for page in ("how-to/simulate-faults.md", "tutorial/run-your-first-site.md"):
        shown = text_of(page).partition("<!-- file: scenario.yaml -->\n```yaml\n")[2].partition("```")[0]
        (tmp_path / "scenario.yaml").write_text(shown, "utf-8")
        assert read_scenario(tmp_path / "scenario.yaml", parsed(TINY)).faults


def leaves(parser=None, name="vpp"):
    """Every command with its parser; `audit verify` is one."""
    parser = parser or _parser()
    below = [action for action in parser._actions if hasattr(action, "_name_parser_map")]
    if not below:
        yield name, parser
    for action in below:
        for word, child in action.choices.items():
            yield from leaves(child, f"{name} {word}")


def test_the_reference_of_the_command_line_has_a_section_for_each_command_with_its_options_and_no_others():
    text = text_of("reference", "command-line.md")
    sections = dict(re.findall(r"^## `(vpp[^`]*?)(?: \[?[A-Z][^`]*)?`\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL))
    commands = dict(leaves())
    assert set(sections) == set(commands)
    everywhere = {"--json", "--ascii", "--debug", "-h", "--help"}
    for name, parser in commands.items():
        taken = {option for action in parser._actions for option in action.option_strings} - everywhere
        table = "\n".join(re.findall(r"^\| (`-.*?) \|", sections[name], re.MULTILINE))
        assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", table)) == taken, name
    assert everywhere <= set(re.findall(r"--?[a-z][\w-]*", text.partition("## ")[0]))


def test_every_test_that_is_named_for_a_fault_exists():
    named = set(re.findall(r"`(test_\w+)`", text_of("explanation", "faults.md")))
    source = "".join(path.read_text("utf-8") for path in (ROOT / "tests").glob("**/test_*.py"))
    assert len(named) > 20
    assert named <= set(re.findall(r"^def (test_\w+)", source, re.MULTILINE))

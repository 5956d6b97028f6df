"""What the documents say is so: commands parse, links lead somewhere, paths exist, and shown output is real."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import technology_choice
from tools.alarm_table import with_table
from tools.shown_output import FENCE, ROOT, Block, blocks, fits, make_workspace, run, shown_runs, write_file
from tools.site_file_reference import PAGES, reference
from tools.technology_reference import technology_reference
from vpp.cli import _parser
from vpp.dispatch.alarms import RULES

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SET_UP = (
    "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/vpp plan site_configs/tiny.yaml",
    "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest",
)
LINK = re.compile(r"\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
OUR_PATH = re.compile(r"(vpp|optimizer|adapters|tests|tools|benchmarks|site_configs|docs|\.ci)/[\w./*-]*")
VPP_CALL = re.compile(r"(?:^|[;&|] *|\bdo )(?:\.venv/bin/)?vpp ([^;&|>]*)")


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def blocks_of(document: Path) -> list[Block]:
    return blocks(document.read_text("utf-8"))


def prose(document: Path) -> str:
    return FENCE.sub("", document.read_text("utf-8"))


def vpp_calls(document: Path) -> Iterator[list[str]]:
    """The arguments of every call of `vpp` in the shell lines of a document."""
    for block in blocks_of(document):
        lines = block.body.splitlines() if block.language == "sh" else []
        for line in (*lines, *(command for command, _ in shown_runs(block))):
            for call in VPP_CALL.findall(line):
                yield shlex.split(call, comments=True)


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def is_run(document: Path) -> bool:
    return any(list(shown_runs(block)) for block in blocks_of(document))


@pytest.mark.parametrize("command", SET_UP)
def test_the_set_up_commands_stand_in_the_readme_and_in_the_checks_word_for_word(command):
    assert command in (ROOT / "README.md").read_text("utf-8").splitlines()
    assert f'step "{command}"' in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_relative_link_leads_to_a_file_and_a_heading(document):
    for target in LINK.findall(prose(document)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        linked = document if not path else (document.parent / path).resolve()
        assert linked.exists(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(linked), f"{target}: no such heading"


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if list(vpp_calls(d))], ids=name_of)
def test_every_command_shown_is_one_that_the_program_takes(document):
    for arguments in vpp_calls(document):
        try:
            _parser().parse_args(arguments)
        except SystemExit as end:
            if end.code:
                pytest.fail(f"vpp {shlex.join(arguments)} is refused")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_path_of_the_code_that_is_named_exists(document):
    made_here = {block.file for block in blocks_of(document)}
    for span in CODE.findall(prose(document)):
        is_path = re.fullmatch(
            r"(vpp|optimizer|adapters|tests|tools|benchmarks|site_configs|docs|\.ci)/[\w./*-]*", span
        )
        if is_path and span not in made_here and not any(str(path).startswith(span) for path in made_here if path):
            assert list(ROOT.glob(span)), f"{span} does not exist"


def test_every_name_in_the_architecture_is_one_of_the_code():
    sources = [path for name in ("vpp", "optimizer", "adapters", "benchmarks") for path in ROOT.glob(f"{name}/**/*.py")]
    known = {word for path in sources for word in re.findall(r"\w+", path.read_text("utf-8"))}
    named = {span for span in CODE.findall(prose(ROOT / "ARCHITECTURE.md")) if re.fullmatch(r"[\w.]+", span)}
    named = {span for span in named if not span.endswith((".toml", ".csv", ".json", ".md"))}
    assert {"_others", "Series.problems", "problem_of"} <= named
    unknown = {span for span in named if not set(span.removesuffix(".py").split(".")) - {""} <= known}
    assert not unknown


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if is_run(d)], ids=name_of)
def test_output_that_is_shown_is_what_the_commands_print(document, tmp_path):
    workspace = make_workspace(tmp_path)
    for block in blocks_of(document):
        write_file(block, workspace)
        for command, shown in shown_runs(block):
            ended = run(command, workspace)
            if not shown and ended.returncode != 0:
                pytest.fail(f"{command} ends with {ended.returncode}\n{ended.stdout}", pytrace=False)
            if shown and not fits(ended.stdout, shown):
                remedy = f"If that is right, run: python tools/shown_output.py {name_of(document)}"
                pytest.fail(f"{command} prints\n{ended.stdout}\n{remedy}", pytrace=False)


@pytest.mark.parametrize("page", PAGES)
def test_the_reference_of_a_file_is_the_schema_that_reads_it(page):
    written = (ROOT / "docs" / "reference" / page).read_text("utf-8")
    assert written == reference(page), f"run: python tools/site_file_reference.py docs/reference/{page}"


def test_the_reference_of_the_technology_library_is_its_data():
    page = ROOT / "docs" / "reference" / "technologies.md"
    remedy = f"run: python tools/technology_reference.py {name_of(page)}"
    assert page.read_text("utf-8") == technology_reference(), remedy


def test_the_table_of_technologies_is_their_records():
    page = ROOT / "docs" / "how-to" / "choose-a-storage-technology.md"
    text = page.read_text("utf-8")
    assert technology_choice.with_table(text) == text, f"run: python tools/technology_choice.py {name_of(page)}"


def test_the_table_of_alarms_is_the_rules_that_raise_them():
    page = ROOT / "docs" / "explanation" / "alarms.md"
    text = page.read_text("utf-8")
    assert with_table(text) == text, f"run: python tools/alarm_table.py {name_of(page)}"
    assert set(RULES) <= set(re.findall(r"`(\w+)`", text.partition("## When they are raised")[2]))


def test_every_decision_has_its_number_and_says_context_choice_and_price():
    decisions = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text("utf-8"), re.MULTILINE)
        assert headings == ["Context", "Choice", "Price"], path.name
        assert path.name in (path.parent / "README.md").read_text("utf-8"), f"{path.name} is not listed"

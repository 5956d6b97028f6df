"""Which small faults can be put into a module? One change of its syntax tree at a time."""

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
FUNCTIONS = {"min": "max", "max": "min", "all": "any", "any": "all"}
NOT_CODE = ("annotation", "returns", "decorator_list", "bases")
GENERICS = ("dict", "list", "tuple", "Mapping")
ENUMS = ("Kind", "Mode", "Stage", "Verdict")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: where it is, what stood there, what stands there instead, and the whole source with it."""

    place: str
    before: str
    after: str
    source: str

    @property
    def key(self) -> str:
        """Names the fault whatever the line it stands on."""
        return f"{self.place}: {self.before} → {self.after}"


def mutants(source: str) -> Iterator[Mutant]:
    """Every fault that can be put into a source."""
    tree = ast.parse(source)
    whole = ast.unparse(tree).splitlines()
    places = _places(tree)
    members = _members(tree)
    for parent in _code(tree):
        for field, value in ast.iter_fields(parent):
            for slot in range(len(value)) if isinstance(value, list) else [None]:
                old = value if slot is None else value[slot]
                if not isinstance(old, ast.AST):
                    continue
                for new in [] if field in NOT_CODE else list(_replacements(parent, old, members)):
                    _put(parent, field, slot, new)
                    yield _mutant(whole, ast.unparse(ast.fix_missing_locations(tree)), places.get(parent, "module"))
                    _put(parent, field, slot, old)
        yield from _shortened(parent, tree, whole, places)


def _put(parent: ast.AST, field: str, slot: int | None, node: ast.AST) -> None:
    if slot is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[slot] = node


def _shortened(parent: ast.AST, tree: ast.Module, whole: list[str], places: dict[ast.AST, str]) -> Iterator[Mutant]:
    """A tuple, an `and` or an `or` with one part less; a loop in brackets without its `if`."""
    for field in ("elts", "values", "ifs"):
        parts = getattr(parent, field, None)
        if not isinstance(parts, list) or isinstance(getattr(parent, "ctx", None), ast.Store):
            continue
        if isinstance(parent, ast.JoinedStr) or (len(parts) == 1 and field == "values"):
            continue
        for index, part in enumerate(list(parts)):
            del parts[index]
            yield _mutant(whole, ast.unparse(tree), places.get(parent, "module"))
            parts.insert(index, part)


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Everything in a tree but what only names types."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in GENERICS:
        return
    yield node
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and field not in NOT_CODE:
                yield from _code(child)


def _replacements(parent: ast.AST, old: ast.AST, members: dict[str, list[str]]) -> Iterator[ast.AST]:
    if _is_docstring(parent, old):
        return
    yield from _statement(old)
    if isinstance(old, ast.cmpop):
        yield from (other() for other in COMPARISONS[type(old)])
    elif isinstance(old, ast.operator) and type(old) in OPERATORS:
        yield OPERATORS[type(old)]()
    elif isinstance(old, ast.boolop):
        yield ast.Or() if isinstance(old, ast.And) else ast.And()
    elif isinstance(old, ast.UnaryOp):
        yield old.operand
    elif isinstance(old, ast.IfExp):
        yield from (old.body, old.orelse)
    elif isinstance(old, ast.Constant):
        yield from _constant(old)
    elif isinstance(old, ast.Name) and old.id in FUNCTIONS:
        yield ast.Name(FUNCTIONS[old.id], ast.Load())
    elif isinstance(old, ast.Attribute) and isinstance(old.value, ast.Name) and old.value.id in ENUMS:
        yield from _other_member(old, members)
    if isinstance(old, ast.Call) and isinstance(old.func, ast.Name) and old.func.id in ("min", "max"):
        yield from (argument for argument in old.args if not isinstance(argument, ast.GeneratorExp))


def _statement(old: ast.AST) -> Iterator[ast.AST]:
    if isinstance(old, ast.If):
        yield from (_if(old, test=True), _if(old, test=False))
    elif isinstance(old, ast.Return) and not (isinstance(old.value, ast.Constant) and old.value.value is None):
        yield ast.Return(None)
    elif isinstance(old, ast.Assign | ast.AugAssign | ast.Continue | ast.Expr):
        yield ast.Pass()
    elif isinstance(old, ast.For):
        yield ast.For(old.target, ast.Tuple([], ast.Load()), old.body, old.orelse)


def _if(old: ast.If, *, test: bool) -> ast.If:
    return ast.If(ast.Constant(test), old.body, old.orelse)


def _constant(old: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(old.value, bool) or old.value is None:
        return
    if isinstance(old.value, int | float):
        yield ast.Constant(old.value + 1)
        yield ast.Constant(2 * old.value) if old.value else ast.Constant(-1)
    elif isinstance(old.value, str):
        yield ast.Constant(f"{old.value}?")


def _other_member(old: ast.Attribute, members: dict[str, list[str]]) -> Iterator[ast.AST]:
    assert isinstance(old.value, ast.Name)
    for other in members.get(old.value.id, []):
        if other != old.attr:
            yield ast.Attribute(old.value, other, ast.Load())


def _members(tree: ast.Module) -> dict[str, list[str]]:
    """Members of the enums that are named in a source."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ENUMS:
            found.setdefault(node.value.id, [])
            if node.attr not in found[node.value.id]:
                found[node.value.id].append(node.attr)
    return found


def _is_docstring(parent: ast.AST, node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(parent, ast.Expr) and isinstance(node, ast.Constant)


def _places(tree: ast.Module) -> dict[ast.AST, str]:
    """Name of the function or class around every node."""
    places: dict[ast.AST, str] = {}

    def visit(node: ast.AST, place: str) -> None:
        for child in ast.iter_child_nodes(node):
            is_named = isinstance(child, ast.FunctionDef | ast.ClassDef)
            inner = f"{place}.{child.name}".removeprefix("module.") if is_named else place
            places[child] = inner
            visit(child, inner)

    visit(tree, "module")
    return places


def _mutant(whole: list[str], source: str, place: str) -> Mutant:
    changes = [line for line in difflib.ndiff(whole, source.splitlines()) if line[0] in "+-"]
    before, after = (" ".join(line[2:].strip() for line in changes if line[0] == sign) for sign in "-+")
    return Mutant(place, before or "nothing", after or "nothing", source)

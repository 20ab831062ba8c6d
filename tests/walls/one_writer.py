"""Who writes a run's progress in the room `workflow`, and who keeps a copy of it across an `await`."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# The parts of a progress that change as a run goes on; what is a number or a word is no copy of it.
STRUCTURED = frozenset({"progress", "calls", "items", "queue", "subagent", "receipts"})
type Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Offence:
    """A line that does what only one place may do."""

    line: int
    function: str
    name: str


def writers(source: str) -> list[Offence]:
    """The functions in which something is assigned to an attribute `progress`, whatever the form."""
    found = []
    for name, function in _functions(ast.parse(source)):
        for node in _within(function):
            written = isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and node.attr == "progress"
            if written or _sets_by_name(node):
                found.append(Offence(getattr(node, "lineno", 0), name, "progress"))
    return sorted(found)


def kept_copies(source: str) -> list[Offence]:
    """Names that hold a part of a progress, and are used after an `await` that came since."""
    found: set[Offence] = set()
    for name, function in _functions(ast.parse(source)):
        _Walk(name, found).block(function.body, {})
    return sorted(found)


# A name that holds a part of a progress -> whether something was awaited since.
type Held = dict[str, bool]


class _Walk:
    """Goes through a function in the order in which it runs."""

    def __init__(self, function: str, found: set[Offence]) -> None:
        self._function = function
        self._found = found

    def block(self, body: Iterable[ast.stmt], held: Held) -> Held:
        """What is held after these statements."""
        for statement in body:
            held = self._statement(statement, held)
        return held

    def _statement(self, node: ast.stmt, held: Held) -> Held:  # noqa: C901 - one case per kind of statement
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return held
            case ast.If(test, body, orelse):
                self._read(test, held)
                return _merged(self.block(body, {**held}), self.block(orelse, {**held}))
            case ast.While(test, body, orelse):
                return self._loop([ast.Expr(test), *body], orelse, held)
            case ast.For(target, iter_, body, orelse) | ast.AsyncFor(target, iter_, body, orelse):
                held = self._bound([target], iter_, held)
                return self._loop([ast.Expr(iter_), *_waits(node, ast.AsyncFor), *body], orelse, held)
            case ast.Try(body, handlers, orelse, finalbody):
                tried = _merged(held, self.block(body, {**held}))
                ways = [self.block(handler.body, {**tried}) for handler in handlers]
                return self.block(finalbody, _merged(self.block(orelse, {**tried}), *ways))
            case ast.With(items, body) | ast.AsyncWith(items, body):
                for item in items:
                    self._read(item.context_expr, held)
                return self.block([*_waits(node, ast.AsyncWith), *body], held)
            case ast.Match(subject, cases):
                self._read(subject, held)
                return _merged(held, *(self.block(case.body, {**held}) for case in cases))
            case ast.Assign(targets, value):
                return self._bound(targets, value, held)
            case ast.AnnAssign(target, _, value) if value is not None:
                return self._bound([target], value, held)
        self._read(node, held)
        return held

    def _loop(self, body: list[ast.stmt], orelse: list[ast.stmt], held: Held) -> Held:
        for _ in range(2):
            held = _merged(held, self.block(body, {**held}))
        return self.block(orelse, held)

    def _bound(self, targets: list[ast.expr], value: ast.expr, held: Held) -> Held:
        self._read(value, held)
        for target in targets:
            for name, given in _pairs(target, value):
                held.pop(name, None)
                if is_copy(given, held):
                    held[name] = any(held.get(each.id, False) for each in ast.walk(given) if isinstance(each, ast.Name))
        return held

    def _read(self, node: ast.AST, held: Held) -> None:
        if isinstance(node, ast.Name) and held.get(node.id):
            self._found.add(Offence(node.lineno, self._function, node.id))
        for child in ast.iter_child_nodes(node):
            self._read(child, held)
        if isinstance(node, ast.Await):
            held.update(dict.fromkeys(held, True))
        if isinstance(node, ast.NamedExpr):
            self._bound([node.target], node.value, held)


def is_copy(value: ast.expr, held: Held) -> bool:
    """Whether the value is a progress, or a part of one that changes."""
    match value:
        case ast.Attribute(_, "progress"):
            return True
        case ast.Attribute(base, name):
            return name in STRUCTURED and is_copy(base, held)
        case ast.Subscript(base) | ast.Starred(base):
            return is_copy(base, held)
        case ast.IfExp(_, one, other):
            return is_copy(one, held) or is_copy(other, held)
        case ast.BoolOp(_, values):
            return any(is_copy(each, held) for each in values)
        case ast.Call(ast.Name("enumerate" | "list" | "tuple" | "replace" | "call_at"), [first, *_]):
            return is_copy(first, held)
        case ast.Call(ast.Attribute(_, "basis")):
            # It names the revision that it was made at.
            return True
        case ast.Name(name):
            return name in held
    return False


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Each name that is bound, with what it is bound to."""
    match target, value:
        case (ast.Tuple(names), ast.Tuple(values)) if len(names) == len(values):
            for name, each in zip(names, values, strict=True):
                yield from _pairs(name, each)
        case ast.Tuple(names), _:
            for name in names:
                yield from _pairs(name, value)
        case ast.Name(name), _:
            yield name, value


def _merged(*ways: Held) -> Held:
    return {name: any(way.get(name, False) for way in ways) for way in ways for name in way}


def _waits(node: ast.stmt, kind: type[ast.stmt]) -> list[ast.stmt]:
    return [ast.Expr(ast.Await(ast.Constant(None)))] if isinstance(node, kind) else []


def _functions(tree: ast.AST, path: str = "") -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{path}.{child.name}".lstrip(".")
            if not isinstance(child, ast.ClassDef):
                yield name, child
            yield from _functions(child, name)
        else:
            yield from _functions(child, path)


def _within(function: Function) -> Iterator[ast.AST]:
    """The nodes of a function without those of the functions in it."""
    todo: list[ast.AST] = list(function.body)
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            todo += ast.iter_child_nodes(node)


def _sets_by_name(node: ast.AST) -> bool:
    match node:
        case ast.Call(ast.Name("setattr" | "delattr"), [_, ast.Constant("progress"), *_]):
            return True
        case ast.Attribute(_, "__dict__" | "__setattr__"):
            return True
    return False

"""Runs the tree of a module.

Arguments are evaluated before a function is called; what `let` and `where` define is evaluated when it is first asked
for, so that definitions may stand in any order. A `do` is an [`Action`]: nothing happens before it is run.
"""

import functools
import inspect
from dataclasses import dataclass, field

from . import Unsupported


class Function:
    """A function of some arguments, perhaps with the first of them given."""

    def __init__(self, arity, call, given=()):
        self.arity, self.call, self.given = arity, call, given

    def __call__(self, *arguments):
        value = self
        for argument in arguments:
            value = apply(value, argument)
        return value


def builtin(call):
    """A Python function as one that may be given its arguments one by one."""
    return Function(len(inspect.signature(call).parameters), call)


def apply(function, argument):
    """The function of one more argument."""
    if isinstance(function, Constructor):
        return Constructor(function.name, (*function.fields, argument))
    if not isinstance(function, Function):
        raise Unsupported(f"{function!r} is no function")
    given = (*function.given, argument)
    if len(given) < function.arity:
        return Function(function.arity, function.call, given)
    return function.call(*given)


@dataclass(frozen=True)
class Constructor:
    """A value by its constructor: `Just 1`, `OADisabled`."""

    name: str
    fields: tuple = ()


@dataclass(frozen=True)
class Record:
    """A value with named fields."""

    name: str
    fields: dict = field(hash=False)


@dataclass(frozen=True)
class Action:
    """Something to be done, which gives a value."""

    run: object


class Later:
    """A value that is evaluated when it is first asked for."""

    def __init__(self, evaluate):
        self.evaluate, self.is_known, self.value = evaluate, False, None

    def get(self):
        if not self.is_known:
            self.value, self.is_known = self.evaluate(), True
        return self.value


class Module:
    """The definitions of a module over those of others.

    `quote(quoter, text, look_up)` reads a quasi-quote, `update(value, fields)` sets fields of what is no record.
    """

    def __init__(self, definitions, outside, quote, update):
        self.quote, self.update = quote, update
        self.names = {}
        self.names.update(outside)
        self.define(definitions, self.names)

    def get(self, name):
        return self.look_up(self.names, name, 0)

    # Names

    def look_up(self, names, name, line):
        is_qualified = name[0].isupper() and name not in names
        plain = name.rsplit(".", 1)[-1] if is_qualified else name
        if plain not in names:
            raise Unsupported(f"line {line}: {name}")
        value = names[plain]
        return value.get() if isinstance(value, Later) else value

    def define(self, definitions, names):
        for name, clauses in definitions.items():
            names[name] = Later(functools.partial(self.defined, clauses, names))

    def extend(self, bindings, names):
        """The names with those of a `let` or `where` before them."""
        definitions, patterns = bindings
        inner = Names(names)
        self.define(definitions, inner)
        for pattern, expression in patterns:
            self.match(pattern, self.evaluate(expression, inner), inner)
        return inner

    def defined(self, clauses, names):
        arity = len(clauses[0][0])
        if arity == 0:
            return self.guarded(*clauses[0][1:], names)
        return Function(arity, lambda *arguments: self.choose(clauses, arguments, names))

    def choose(self, clauses, arguments, names):
        for patterns, guards, bindings in clauses:
            inner = Names(names)
            if all(self.match(pattern, argument, inner) for pattern, argument in zip(patterns, arguments)):
                return self.guarded(guards, bindings, inner)
        raise Unsupported("no clause fits")

    def guarded(self, guards, bindings, names):
        inner = self.extend(bindings, names)
        for guard, expression in guards:
            if guard is None or self.evaluate(guard, inner) is True:
                return self.evaluate(expression, inner)
        raise Unsupported("no guard holds")

    # Patterns

    def match(self, pattern, value, names):
        """Whether the value has the pattern's form; its parts get their names."""
        kind = pattern[0]
        if kind == "any":
            return True
        if kind == "variable":
            names[pattern[1]] = value
            return True
        if kind == "literal":
            return self.get("==")(value, pattern[1])
        if kind == "constructor":
            return self.match_constructor(pattern, value, names)
        if kind == "cons":
            return len(value) > 0 and self.match(pattern[1], value[0], names) and self.match(pattern[2], value[1:], names)
        items = pattern[1]
        return len(items) == len(value) and all(self.match(item, part, names) for item, part in zip(items, value))

    def match_constructor(self, pattern, value, names):
        if isinstance(value, bool):
            return str(value) == pattern[1]
        if not isinstance(value, Constructor):
            raise Unsupported(f"{pattern[1]} as a pattern of {value!r}")
        return value.name == pattern[1].rsplit(".", 1)[-1] and self.match(("tuple", pattern[2]), value.fields, names)

    # Expressions

    def evaluate(self, tree, names):
        return getattr(self, "evaluate_" + tree[0].replace(" ", "_"))(names, *tree[1:])

    def evaluate_literal(self, names, value):
        return value

    def evaluate_name(self, names, line, name):
        value = self.look_up(names, name, line)
        return value.at(line) if isinstance(value, Placed) else value

    def evaluate_constructor(self, names, line, name):
        plain = name.rsplit(".", 1)[-1]
        if plain in names:
            return self.look_up(names, plain, line)
        return {"True": True, "False": False}.get(plain, Constructor(plain))

    def evaluate_quasi(self, names, line, quoter, text):
        return self.quote(quoter, text, lambda name: self.look_up(names, name, line))

    def evaluate_apply(self, names, function, argument):
        return apply(self.evaluate(function, names), self.evaluate(argument, names))

    def evaluate_operator(self, names, line, operator, left, right):
        left = self.evaluate(left, names)
        if operator in ("&&", "||") and left is (operator == "||"):
            return left
        return self.look_up(names, operator, line)(left, self.evaluate(right, names))

    def evaluate_right_section(self, names, line, operator, right):
        function, right = self.look_up(names, operator, line), self.evaluate(right, names)
        return Function(1, lambda left: function(left, right))

    def evaluate_function(self, names, patterns, body):
        return Function(len(patterns), lambda *arguments: self.choose([(patterns, [(None, body)], ({}, []))], arguments, names))

    def evaluate_let(self, names, bindings, body):
        return self.evaluate(body, self.extend(bindings, names))

    def evaluate_if(self, names, condition, chosen, otherwise):
        return self.evaluate(chosen if self.evaluate(condition, names) else otherwise, names)

    def evaluate_case(self, names, line, subject, alternatives):
        value = self.evaluate(subject, names)
        for pattern, guards, bindings in alternatives:
            inner = Names(names)
            if self.match(pattern, value, inner):
                return self.guarded(guards, bindings, inner)
        raise Unsupported(f"line {line}: no alternative fits")

    def evaluate_tuple(self, names, items):
        if None in items:
            (given,) = [self.evaluate(item, names) for item in items if item is not None]
            return Function(1, lambda other: tuple(other if item is None else given for item in items))
        return tuple(self.evaluate(item, names) for item in items)

    def evaluate_list(self, names, items):
        return [self.evaluate(item, names) for item in items]

    def evaluate_range(self, names, first, last):
        return list(range(self.evaluate(first, names), self.evaluate(last, names) + 1))

    def evaluate_comprehension(self, names, item, pattern, source):
        found = []
        for value in self.evaluate(source, names):
            inner = Names(names)
            if self.match(pattern, value, inner):
                found.append(self.evaluate(item, inner))
        return found

    def evaluate_record(self, names, line, of, fields):
        fields = {name: self.evaluate(value, names) for name, value in fields}
        if of[0] == "constructor":
            return self.update(Record(of[2].rsplit(".", 1)[-1], {}), fields)
        return self.update(self.evaluate(of, names), fields)

    # Actions

    def evaluate_do(self, names, line, statements):
        return Action(lambda: self.run(statements, Names(names)))

    def run(self, statements, names):
        value = ()
        for statement in statements:
            if statement[0] == "let":
                names = self.extend(statement[1], names)
                continue
            action = self.evaluate(statement[-1], names)
            if not isinstance(action, Action):
                raise Unsupported(f"{action!r} is nothing to be done")
            value = action.run()
            if statement[0] == "bind":
                names = Names(names)
                if not self.match(statement[1], value, names):
                    raise Unsupported("what an action gave has another form")
        return value


class Names(dict):
    """Names over those of the scope around."""

    def __init__(self, outer):
        super().__init__()
        self.outer = outer

    def __contains__(self, name):
        return super().__contains__(name) or name in self.outer

    def __missing__(self, name):
        return self.outer[name]


class Placed:
    """A function that wants to know the line it is called on: `at(line)` gives it."""

    def __init__(self, at):
        self.at = at

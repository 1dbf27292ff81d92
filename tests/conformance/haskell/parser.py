"""From tokens to a tree.

A block (`do`, `of`, `let`, `where`) ends before the first token that begins a line left of the block's first token; one
at the same column begins its next item. While an item is read, such tokens look like the end of the text, which is all
that layout needs here. An operator that begins a line at the block's column belongs to what is around the block.

A tree is tuples, the kind first and the line second where errors name it.
"""

from . import Unsupported
from .lexer import tokens

# Operators by how tightly they bind, and whether the left (l) or the right (r) of two binds first.
FIXITY = {
    "$": (0, "r"), "$!": (0, "r"), "`seq`": (0, "r"),
    ">>=": (1, "l"), ">>": (1, "l"), "&": (1, "l"), "=<<": (1, "r"),
    "shouldRespondWith": (1, "l"), "shouldBe": (1, "l"), "shouldNotBe": (1, "l"), "shouldSatisfy": (1, "l"),
    "shouldContain": (1, "l"),
    "||": (2, "r"), "&&": (3, "r"),
    "==": (4, "l"), "/=": (4, "l"), "<": (4, "l"), "<=": (4, "l"), ">": (4, "l"), ">=": (4, "l"),
    "elem": (4, "l"), "notElem": (4, "l"), "<$>": (4, "l"), "<*>": (4, "l"), "<$": (4, "l"),
    ":": (5, "r"), "++": (5, "r"), "<>": (6, "r"), "+": (6, "l"), "-": (6, "l"), "*": (7, "l"), "/": (7, "l"),
    ".=": (8, "r"), "^?": (8, "l"), ".": (9, "r"), "!!": (9, "l"),
}  # fmt: skip
DEFAULT_FIXITY = (9, "l")
# Operators that are no operators where an expression may go on.
RESERVED = {"=", "|", "<-", "->", "=>", "::", "\\", "@", "~", ".."}


def parse(text):
    """The definitions of a module: name → list of clauses `(patterns, guards, bindings)`."""
    return Parser(tokens(text)).module()


class Parser:
    """Walks over tokens. `columns` holds the column of each block that is open."""

    def __init__(self, found):
        self.found = found
        self.at = 0
        self.columns = [-1]
        # The token that begins an item of the innermost block, which is no end of it.
        self.item = None

    # Tokens

    def peek(self):
        """The next token; the end where the innermost block's item ends."""
        token = self.found[self.at]
        if token.begins_line and token.column <= self.columns[-1] and token is not self.item:
            return self.found[-1]
        return token

    def take(self):
        token = self.peek()
        if token.kind == "end":
            raise Unsupported(f"line {self.found[self.at].line}: unexpected end of an expression")
        self.at += 1
        return token

    def next_is(self, kind, value=None):
        token = self.peek()
        return token.kind == kind and (value is None or token.value == value)

    def accept(self, kind, value=None):
        return self.take() if self.next_is(kind, value) else None

    def expect(self, kind, value=None):
        token = self.peek()
        if not self.next_is(kind, value):
            raise Unsupported(f"line {token.line}: {token.value!r} where {value or kind!r} was expected")
        return self.take()

    def block(self, read):
        """Items of a block, each read by `read`; in braces or by layout."""
        if self.accept("special", "{"):
            items = []
            while not self.accept("special", "}"):
                items.append(read())
                self.accept("special", ";")
            return items
        first = self.found[self.at]
        if first.column <= self.columns[-1]:
            return []
        return self.laid_out(first.column, read)

    def laid_out(self, column, read):
        items, outer = [], self.item
        self.columns.append(column)
        while True:
            token = self.found[self.at]
            is_item = token.column == column and (token.begins_line or not items)
            if token.kind in ("end", "operator") and token.value != "!" or not is_item:
                break
            self.item = token
            items.append(read())
        self.columns.pop()
        self.item = outer
        return items

    # Modules

    def module(self):
        definitions = {}
        for definition in self.laid_out(0, self.top_level):
            if definition:
                add_clause(definitions, *definition)
        return definitions

    def top_level(self):
        # Types, instances and imports say nothing here; nor does the end of a record's type.
        if self.peek().kind in ("keyword", "special") or self.is_signature():
            return self.skip_item()
        return self.clause()

    def skip_item(self):
        self.item = self.found[self.at]
        while self.peek().kind != "end":
            self.take()

    def is_signature(self):
        at = self.at
        while self.found[at].kind == "name" and self.found[at + 1].value == ",":
            at += 2
        return self.found[at].kind == "name" and self.found[at + 1].value == "::"

    # Definitions

    def bindings(self):
        """Definitions of a `let` or `where`."""
        definitions, patterns = {}, []
        for definition in self.block(self.binding):
            if definition is None:
                continue
            if definition[0] == "pattern":
                patterns.append(definition[1:])
            else:
                add_clause(definitions, *definition)
        return definitions, patterns

    def binding(self):
        if self.is_signature():
            return self.skip_item()
        if self.peek().kind == "name" or self.next_is("operator", "!"):
            self.accept("operator", "!")
            return self.clause()
        pattern = self.pattern()
        self.expect("operator", "=")
        return "pattern", pattern, self.expression()

    def clause(self):
        """`name pattern … = expression [where …]`."""
        name = self.expect("name").value
        patterns = []
        while not self.next_is("operator", "=") and not self.next_is("operator", "|"):
            patterns.append(self.pattern_atom())
        return name, patterns, *self.right_side("=")

    def right_side(self, sign):
        """Guards with their expressions, and the bindings that hold for all of them."""
        guards = []
        if self.accept("operator", sign):
            guards.append((None, self.expression()))
        while self.accept("operator", "|"):
            guard = self.expression()
            self.expect("operator", sign)
            guards.append((guard, self.expression()))
        return guards, self.bindings() if self.accept("keyword", "where") else ({}, [])

    # Expressions

    def expression(self, least=0):
        """An expression of operators that bind at least as tightly as `least`; a type behind it is passed by."""
        left = self.operand()
        while True:
            token = self.peek()
            if token.kind != "operator" or token.value in RESERVED:
                break
            level, side = FIXITY.get(token.value, DEFAULT_FIXITY)
            if level < least or self.closes_behind():
                break
            self.take()
            left = ("operator", token.line, token.value, left, self.expression(level + (side == "l")))
        if least == 0 and self.accept("operator", "::"):
            self.skip_type()
        return left

    def closes_behind(self):
        """Whether the operator is the last thing before a parenthesis closes: a section."""
        behind = self.found[self.at + 1]
        return behind.kind == "special" and behind.value == ")"

    def skip_type(self):
        depth = 0
        while self.peek().kind != "end":
            token = self.peek()
            if token.kind == "special" and token.value in "([":
                depth += 1
            elif token.kind == "special" and token.value in ")]," and depth == 0:
                return
            elif token.kind == "special" and token.value in ")]":
                depth -= 1
            elif token.value == "=":
                return
            self.take()

    def operand(self):
        token = self.peek()
        if token.kind == "operator" and token.value == "\\":
            return self.function()
        if token.kind == "operator" and token.value == "-":
            self.take()
            return ("operator", token.line, "-", ("literal", 0), self.operand())
        if token.kind == "keyword" and token.value in ("do", "let", "if", "case"):
            return self.keyword_expression()
        return self.application()

    def keyword_expression(self):
        token = self.take()
        if token.value == "do":
            return ("do", token.line, self.block(self.statement))
        if token.value == "let":
            definitions = self.bindings()
            self.expect("keyword", "in")
            return ("let", definitions, self.expression())
        if token.value == "case":
            subject = self.expression()
            self.expect("keyword", "of")
            return ("case", token.line, subject, self.block(self.alternative))
        condition = self.expression()
        self.expect("keyword", "then")
        chosen = self.expression()
        self.expect("keyword", "else")
        return ("if", condition, chosen, self.expression())

    def function(self):
        self.expect("operator", "\\")
        patterns = []
        while not self.accept("operator", "->"):
            patterns.append(self.pattern_atom())
        return ("function", patterns, self.expression())

    def alternative(self):
        return self.pattern(), *self.right_side("->")

    def statement(self):
        if self.accept("keyword", "let"):
            return ("let", self.bindings())
        start = self.at
        if self.holds_arrow():
            self.accept("operator", "!")
            pattern = self.pattern()
            self.expect("operator", "<-")
            return ("bind", pattern, self.expression())
        self.at = start
        return ("run", self.expression())

    def holds_arrow(self):
        """Whether a `<-` stands outside of all brackets in what is left of the statement."""
        depth, at = 0, self.at
        while True:
            token = self.found[at]
            ends = token.begins_line and token.column <= self.columns[-1] and token is not self.item
            if token.kind in ("end", "keyword") or ends:
                return False
            if token.kind == "special" and token.value in "([{":
                depth += 1
            elif token.kind == "special" and token.value in ")]}":
                depth -= 1
            elif token.value == "<-" and token.kind == "operator" and depth == 0:
                return True
            at += 1

    def application(self):
        applied = self.atom()
        while self.starts_atom():
            argument = self.argument()
            applied = ("apply", applied, argument)
        return applied

    def argument(self):
        token = self.peek()
        if token.kind == "keyword" or token.value == "\\":
            return self.operand()
        return self.atom()

    def starts_atom(self):
        token = self.peek()
        if token.kind in ("name", "constructor", "string", "char", "number", "quasi"):
            return True
        return token.kind == "special" and token.value in "(["

    def atom(self):
        token = self.take()
        if token.kind == "name":
            found = ("name", token.line, token.value)
        elif token.kind == "constructor":
            found = ("constructor", token.line, token.value)
        elif token.kind in ("string", "number", "char"):
            found = ("literal", token.value)
        elif token.kind == "quasi":
            found = ("quasi", token.line, *token.value)
        elif token.kind == "special" and token.value == "(":
            found = self.parenthesis()
        elif token.kind == "special" and token.value == "[":
            found = self.list()
        else:
            raise Unsupported(f"line {token.line}: {token.value!r} begins no expression")
        while self.next_is("special", "{"):
            found = ("record", token.line, found, self.fields())
        return found

    def fields(self):
        self.expect("special", "{")
        fields = []
        while not self.accept("special", "}"):
            name = self.expect("name").value
            self.expect("operator", "=")
            fields.append((name, self.expression()))
            self.accept("special", ",")
        return fields

    def parenthesis(self):
        """A unit, tuple, section, operator as a function, or an expression by itself."""
        if self.accept("special", ")"):
            return ("tuple", [])
        token = self.peek()
        if token.kind == "operator" and token.value not in ("\\", "-"):
            self.take()
            if self.accept("special", ")"):
                return ("name", token.line, token.value)
            right = self.expression()
            self.expect("special", ")")
            return ("right section", token.line, token.value, right)
        items = [self.expression()]
        if self.peek().kind == "operator" and self.closes_behind():
            operator = self.take()
            self.expect("special", ")")
            return ("apply", ("name", operator.line, operator.value), items[0])
        while self.accept("special", ","):
            items.append(None if self.next_is("special", ")") else self.expression())
        self.expect("special", ")")
        return items[0] if len(items) == 1 else ("tuple", items)

    def list(self):
        if self.accept("special", "]"):
            return ("list", [])
        items = [self.expression()]
        if self.accept("operator", ".."):
            last = self.expression()
            self.expect("special", "]")
            return ("range", items[0], last)
        if self.accept("operator", "|"):
            pattern = self.pattern()
            self.expect("operator", "<-")
            source = self.expression()
            self.expect("special", "]")
            return ("comprehension", items[0], pattern, source)
        while self.accept("special", ","):
            items.append(self.expression())
        self.expect("special", "]")
        return ("list", items)

    # Patterns

    def pattern(self):
        if self.peek().kind == "constructor":
            name = self.take().value
            fields = []
            while self.starts_atom():
                fields.append(self.pattern_atom())
            return ("constructor", name, fields)
        left = self.pattern_atom()
        if self.accept("operator", ":"):
            return ("cons", left, self.pattern())
        return left

    def pattern_atom(self):
        self.accept("operator", "!")
        token = self.take()
        if token.kind == "name":
            return ("any",) if token.value == "_" else ("variable", token.value)
        if token.kind == "constructor":
            return ("constructor", token.value, [])
        if token.kind in ("string", "number"):
            return ("literal", token.value)
        close = {"(": ")", "[": "]"}.get(token.value)
        if token.kind != "special" or close is None:
            raise Unsupported(f"line {token.line}: {token.value!r} begins no pattern")
        items = []
        while not self.accept("special", close):
            items.append(self.pattern())
            self.accept("special", ",")
        if close == "]":
            return ("list", items)
        return items[0] if len(items) == 1 else ("tuple", items)


def add_clause(definitions, name, patterns, guards, bindings):
    definitions.setdefault(name, []).append((patterns, guards, bindings))

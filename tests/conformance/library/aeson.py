"""JSON: the quasi-quotes, the text that Haskell's library writes, and ways into values."""

import json
import re
from decimal import Decimal

from haskell import Unsupported
from haskell.evaluate import Function, builtin

from .values import NOTHING, Json, as_bytes, just, plain

TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:\\.|[^"\\])*")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)'
    r"|\#\{(?P<code>[^}]*)\}|(?P<word>[A-Za-z_]\w*)|(?P<mark>[\[\]{}:,]))",
    re.DOTALL,
)
WORDS = {"null": None, "true": True, "false": False}
# Decimal numbers from the first to the second are written without an exponent.
PLAIN_FROM, PLAIN_TO = Decimal("0.1"), Decimal(10**7)


def decode(text):
    """The value of a JSON text; numbers are exact."""
    return json.loads(text, parse_float=Decimal)


def quoted(text, look_up):
    """The value of `[json|…|]`: JSON whose names need no quotes, with `#{name}` for a value."""
    reader = Reader(text, look_up)
    value = reader.value()
    if reader.text[reader.at :].strip():
        raise Unsupported(f"JSON goes on: {reader.text[reader.at:][:40]!r}")
    return Json(value)


class Reader:
    """Walks over the text of a quasi-quote."""

    def __init__(self, text, look_up):
        self.text, self.at, self.look_up = text, 0, look_up

    def take(self):
        match = TOKEN.match(self.text, self.at)
        if match is None:
            raise Unsupported(f"no JSON: {self.text[self.at:][:40]!r}")
        self.at = match.end()
        return match.lastgroup, match.group(match.lastgroup)

    def value(self):
        kind, text = self.take()
        if kind == "string":
            return decode(text)
        if kind == "number":
            return decode(text)
        if kind == "code":
            return plain(self.look_up(text.strip()))
        if kind == "word" and text in WORDS:
            return WORDS[text]
        if text == "[":
            return self.items("]", self.value, list)
        if text == "{":
            return self.items("}", self.member, dict)
        raise Unsupported(f"{text!r} begins no JSON value")

    def member(self):
        kind, text = self.take()
        if kind not in ("string", "word"):
            raise Unsupported(f"{text!r} as the name of a member")
        if self.take()[1] != ":":
            raise Unsupported("a member without a colon")
        return (decode(text) if kind == "string" else text), self.value()

    def items(self, close, read, gather):
        found = []
        while True:
            before = self.at
            if self.take()[1] == close:
                return gather(found)
            self.at = before
            found.append(read())
            mark = self.take()[1]
            if mark == close:
                return gather(found)
            if mark != ",":
                raise Unsupported(f"{mark!r} behind a value")


def encode(value):
    """The text of a value: no blanks, members in the order of their names."""
    return text_of(value).encode()


def text_of(value):
    value = plain(value)
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        return text.replace("<", "\\u003c").replace(">", "\\u003e")
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float, Decimal)):
        return number_text(Decimal(str(value)))
    if isinstance(value, dict):
        members = (f"{text_of(name)}:{text_of(value[name])}" for name in sorted(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(text_of(item) for item in value) + "]"
    raise Unsupported(f"{value!r} as JSON")


def number_text(number):
    if number == number.to_integral_value():
        return str(int(number))
    if PLAIN_FROM <= abs(number) < PLAIN_TO:
        return format(number.normalize(), "f")
    digits, _, exponent = format(number.normalize(), "e").partition("e")
    return f"{digits if '.' in digits else digits + '.0'}e{int(exponent)}"


class Lens(Function):
    """A way into a JSON value; `step` gives the part, or raises `LookupError`."""

    def __init__(self, step):
        super().__init__(1, step)
        self.step = step

    def then(self, other):
        return Lens(lambda value: other.step(self.step(value)))


def key(name):
    def step(value):
        if not isinstance(value, dict):
            raise LookupError
        return value[name]

    return Lens(step)


def nth(index):
    def step(value):
        if not isinstance(value, list):
            raise LookupError
        return value[index]

    return Lens(step)


def preview(value, lens):
    """`value ^? lens`."""
    value = plain(value)
    try:
        document = decode(as_bytes(value)) if isinstance(value, (bytes, str)) else value
        return just(Json(lens.step(document)))
    except (LookupError, ValueError):
        return NOTHING


def decoded(text):
    """`decode`: of a text that is no JSON, nothing."""
    try:
        return just(Json(decode(as_bytes(text))))
    except ValueError:
        return NOTHING


NAMES = {
    "decode": builtin(decoded),
    "key": builtin(key),
    "nth": builtin(nth),
    "^?": builtin(preview),
    "encode": builtin(encode),
    "object": builtin(lambda members: Json(dict(members))),
    ".=": builtin(lambda name, value: (name, plain(value))),
    "String": builtin(lambda text: Json(text)),
    "Number": builtin(lambda number: Json(number)),
    "Bool": builtin(lambda truth: Json(truth)),
}

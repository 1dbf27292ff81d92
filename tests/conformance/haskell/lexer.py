"""From text to tokens. Layout is left to the parser: each token says where it stands and whether it begins a line."""

import re
from dataclasses import dataclass

from . import Unsupported

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
ASCII_NAMES = ["NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI", "DLE"]

TOKEN = re.compile(
    r"""
    (?P<blank>\s+)
  | (?P<comment>--(?![!#$%&*+./<=>?@\\^|~:-]).*)
  | (?P<pragma>\{-)
  | (?P<quasi>\[(?P<quoter>[a-z]\w*)\|)
  | (?P<number>0x[0-9a-fA-F]+|\d[\d_]*(\.\d[\d_]*)?([eE][-+]?\d+)?)
  | (?P<string>")
  | (?P<char>'(\\.|[^\\'])')
  | (?P<name>([A-Z]\w*\.)*[a-z_]\w*'*)
  | (?P<constructor>([A-Z]\w*\.)*[A-Z]\w*'*)
  | (?P<ticked>`([A-Z]\w*\.)*\w+'*`)
  | (?P<special>[()\[\]{},;])
  | (?P<operator>[!#$%&*+./<=>?@\\^|~:-]+)
    """,
    re.VERBOSE,
)

# Never the name of a variable.
KEYWORDS = {"case", "do", "else", "if", "import", "in", "instance", "let", "module", "of", "then", "type", "where", "data"}


@dataclass(frozen=True)
class Token:
    """One token: `kind` is `name`, `constructor`, `keyword`, `operator`, `special`, `string`, `number`, `quasi` or `end`."""

    kind: str
    value: object
    line: int
    column: int
    begins_line: bool


def tokens(text):
    """All tokens of a text, and one of kind `end` behind them."""
    found = []
    at, line, line_start, begins_line = 0, 1, 0, True
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise Unsupported(f"line {line}: {text[at:at + 20]!r}")
        kind, end = match.lastgroup, match.end()
        kind = "quasi" if match.group("quasi") else kind
        value = match.group(0)
        if kind == "pragma":
            end = text.index("-}", at) + 2
        elif kind == "string":
            value, end = string(text, end)
        elif kind == "quasi":
            end = text.index("|]", end)
            value, end = (match.group("quoter"), text[match.end():end]), end + 2
        elif kind == "number":
            plain = value.replace("_", "")
            value = int(plain, 0) if plain.startswith("0x") or plain.isdigit() else float(plain)
        elif kind == "char":
            value = string(text, at + 1, "'")[0]
        elif kind == "ticked":
            kind, value = "operator", value.strip("`")
        elif kind == "name" and value in KEYWORDS:
            kind = "keyword"
        if kind not in ("blank", "comment", "pragma"):
            found.append(Token(kind, value, line, at - line_start, begins_line))
            begins_line = False
        breaks = text.count("\n", at, end)
        if breaks:
            line, line_start, begins_line = line + breaks, text.rindex("\n", at, end) + 1, begins_line or kind == "blank"
        at = end
    found.append(Token("end", "", line + 1, -1, True))
    return found


def string(text, at, quote='"'):
    """The value of a literal whose first character stands at `at`, and where the text goes on behind it."""
    value = []
    while text[at] != quote:
        if text[at] != "\\":
            value.append(text[at])
            at += 1
            continue
        character, at = escape(text, at + 1)
        value.append(character)
    return "".join(value), at + 1


def escape(text, at):
    """What stands behind a backslash: a character, a code, or the gap between two lines."""
    if text[at].isspace():
        return "", text.index("\\", at) + 1
    if text[at] == "&":
        return "", at + 1
    number = re.compile(r"x([0-9a-fA-F]+)|(\d+)").match(text, at)
    if number:
        return chr(int(number.group(1), 16) if number.group(1) else int(number.group(2))), number.end()
    for code, name in sorted(enumerate(ASCII_NAMES), key=lambda pair: -len(pair[1])):
        if text.startswith(name, at):
            return chr(code), at + len(name)
    if text[at] not in ESCAPES:
        raise Unsupported(f"escape \\{text[at]}")
    return ESCAPES[text[at]], at + 1

"""Values of the libraries, and when two are equal.

Texts and byte strings of literals are `str`; a byte string holds of each character its lowest eight bits, as Haskell's
`ByteString` literals do. Bytes that were received or read from a file are `bytes`.
"""

from dataclasses import dataclass
from decimal import Decimal

from haskell import Unsupported
from haskell.evaluate import Constructor, Record

NOTHING = Constructor("Nothing")
STATUS_OK = 200


def just(value):
    return Constructor("Just", (value,))


class Empty:
    """`mempty` before it is known of what type."""

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0


class HeaderName(str):
    """Compared without regard to case."""

    def __eq__(self, other):
        return isinstance(other, str) and self.lower() == other.lower()

    def __hash__(self):
        return hash(self.lower())


@dataclass(frozen=True)
class Json:
    """A JSON value: of a quasi-quote, or a part of an answer."""

    value: object


@dataclass(frozen=True)
class Response:
    """An answer: a number, pairs of a name and a value, bytes."""

    status: int
    headers: list
    body: bytes


def as_bytes(text):
    """A byte string: a literal, JSON, or what is bytes already."""
    if isinstance(text, bytes):
        return text
    if isinstance(text, Empty):
        return b""
    if isinstance(text, str):
        return bytes(ord(character) & 0xFF for character in text)
    if isinstance(text, Json):
        from . import aeson

        return aeson.encode(text.value)
    raise Unsupported(f"{text!r} as bytes")


def equal(one, other):
    """Whether two values are equal, whichever of the forms above each has."""
    if isinstance(one, Empty) or isinstance(other, Empty):
        return is_empty(one) and is_empty(other)
    if isinstance(one, bytes) or isinstance(other, bytes):
        return as_bytes(one) == as_bytes(other)
    if isinstance(one, Json) or isinstance(other, Json):
        return equal_json(plain(one), plain(other))
    if isinstance(one, Constructor) and isinstance(other, Constructor):
        return one.name == other.name and equal(list(one.fields), list(other.fields))
    if isinstance(one, Record) and isinstance(other, Record):
        # A status' message says nothing that its code does not.
        kept = {"statusCode"} if one.name == "Status" else set(one.fields) | set(other.fields)
        return one.name == other.name and all(equal(one.fields.get(name), other.fields.get(name)) for name in kept)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(equal(*pair) for pair in zip(one, other))
    return one == other


def is_empty(value):
    if isinstance(value, tuple):
        return all(part == "" for part in value)
    return isinstance(value, Empty) or value in ("", b"", [])


def plain(value):
    return value.value if isinstance(value, Json) else value


def equal_json(one, other):
    """Equality of JSON values: numbers by value, objects without an order, no truth equal to a number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(equal_json(*pair) for pair in zip(one, other))
    if isinstance(one, (int, float, Decimal)) and isinstance(other, (int, float, Decimal)):
        return Decimal(str(one)) == Decimal(str(other))
    return type(one) is type(other) and one == other

"""Functions on lists, texts, numbers and what may be missing."""

import base64
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from haskell import Unsupported
from haskell.evaluate import Action, Constructor, Function, apply, builtin

from .aeson import Lens
from .values import NOTHING, Empty, HeaderName, Json, as_bytes, equal, is_empty, just


def append(one, other):
    if isinstance(one, Empty):
        return other
    if isinstance(other, Empty):
        return one
    if isinstance(one, (bytes, Json)) or isinstance(other, (bytes, Json)):
        return as_bytes(one) + as_bytes(other)
    return one + other


def cons(first, rest):
    return first + rest if isinstance(rest, str) else [first, *rest]


def compose(outer, inner):
    if isinstance(outer, Lens) and isinstance(inner, Lens):
        return outer.then(inner)
    return Function(1, lambda value: apply(outer, apply(inner, value)))


def over(function, inside):
    """`<$>` and `fmap`."""
    if isinstance(inside, Action):
        return Action(lambda: apply(function, inside.run()))
    if isinstance(inside, Constructor):
        return inside if inside == NOTHING else just(apply(function, *inside.fields))
    return [apply(function, item) for item in inside]


def lift_two(function, one, other):
    """`liftA2` of what may be missing."""
    if NOTHING in (one, other):
        return NOTHING
    return just(function(*one.fields, *other.fields))


def maybe(otherwise, function, value):
    return otherwise if value == NOTHING else apply(function, *value.fields)


def look_up(wanted, pairs):
    pairs = pairs.items() if isinstance(pairs, dict) else pairs
    return next((just(value) for name, value in pairs if equal(name, wanted)), NOTHING)


def find(test, items):
    return next((just(item) for item in items if apply(test, item)), NOTHING)


def map_maybe(function, items):
    found = (apply(function, item) for item in items)
    return [value.fields[0] for value in found if value != NOTHING]


def is_element(wanted, items):
    return any(equal(wanted, item) for item in items)


def is_inside(part, text):
    return as_bytes(part) in as_bytes(text)


def split(separator, text):
    """`splitOn` and `split`; a text of bytes gives texts."""
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    return text.split(separator)


def keep(test, items):
    kept = [item for item in items if apply(test, item)]
    return "".join(kept) if isinstance(items, str) else kept


def dict_of(pairs):
    return dict(pairs)


def take(count, items):
    return items[:count]


def matches(text, pattern):
    """`=~`: whether a POSIX expression matches somewhere."""
    pattern = pattern.replace("[[:digit:]]", r"\d")
    return re.search(pattern, as_bytes(text).decode("latin-1")) is not None


def read_number(text):
    try:
        return just(float(text))
    except ValueError:
        return NOTHING


def show(value):
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def decode_base64(text):
    return base64.b64decode(text + "=" * (-len(text) % 4)).decode("latin-1")


def decode_utf8(text):
    return as_bytes(text).decode()


def sequence(actions):
    def run():
        for action in actions:
            action.run()
        return ()

    return Action(run)


def concurrently(function, items):
    """`mapConcurrently`: all at once."""
    actions = [apply(function, item) for item in items]

    def run():
        with ThreadPoolExecutor(len(actions)) as threads:
            list(threads.map(lambda action: action.run(), actions))
        return ()

    return Action(run)


def bind(action, function):
    return Action(lambda: apply(function, action.run()).run())


def fold_and(items):
    if not isinstance(items, Sequence):
        raise Unsupported("and")
    return all(items)


NAMES = {
    "$": builtin(apply),
    "$!": builtin(apply),
    ".": builtin(compose),
    "&": builtin(lambda value, function: apply(function, value)),
    "<>": builtin(append),
    "++": builtin(append),
    ":": builtin(cons),
    "==": builtin(equal),
    "/=": builtin(lambda one, other: not equal(one, other)),
    "<": builtin(lambda one, other: one < other),
    "<=": builtin(lambda one, other: one <= other),
    ">": builtin(lambda one, other: one > other),
    ">=": builtin(lambda one, other: one >= other),
    "+": builtin(lambda one, other: one + other),
    "-": builtin(lambda one, other: one - other),
    "&&": builtin(lambda one, other: one and other),
    "||": builtin(lambda one, other: one or other),
    "not": builtin(lambda value: not value),
    "subtract": builtin(lambda one, other: other - one),
    "floor": builtin(lambda number: int(number)),
    "const": builtin(lambda value, _: value),
    "identity": builtin(lambda value: value),
    "fst": builtin(lambda pair: pair[0]),
    "snd": builtin(lambda pair: pair[1]),
    "<$>": builtin(over),
    "fmap": builtin(over),
    "map": builtin(over),
    "liftA2": builtin(lift_two),
    "maybe": builtin(maybe),
    "fromMaybe": builtin(lambda otherwise, value: maybe(otherwise, NAMES["identity"], value)),
    "isJust": builtin(lambda value: value != NOTHING),
    "isNothing": builtin(lambda value: value == NOTHING),
    "rightToMaybe": builtin(lambda value: just(*value.fields) if value.name == "Right" else NOTHING),
    "lookup": builtin(look_up),
    "find": builtin(find),
    "filter": builtin(keep),
    "mapMaybe": builtin(map_maybe),
    "elem": builtin(is_element),
    "notElem": builtin(lambda wanted, items: not is_element(wanted, items)),
    "length": builtin(lambda items: len(items)),
    "null": builtin(is_empty),
    "all": builtin(lambda test, items: all(apply(test, item) for item in items)),
    "any": builtin(lambda test, items: any(apply(test, item) for item in items)),
    "and": builtin(fold_and),
    "take": builtin(take),
    "fromList": builtin(lambda items: items),
    "M.fromList": builtin(dict_of),
    "empty": "",
    "mempty": Empty(),
    "isInfixOf": builtin(is_inside),
    "isPrefixOf": builtin(lambda part, text: as_bytes(text).startswith(as_bytes(part))),
    "splitOn": builtin(split),
    "split": builtin(lambda separator, text: split(separator, text)),
    "unpack": builtin(lambda text: text),
    "pack": builtin(lambda text: text),
    "mk": builtin(lambda name: HeaderName(name)),
    "original": builtin(lambda name: str(name)),
    "toS": builtin(lambda text: text),
    "toStrict": builtin(lambda text: text),
    "fromStrict": builtin(lambda text: text),
    "encodeUtf8": builtin(lambda text: text),
    "decodeUtf8": builtin(decode_utf8),
    "decodeLenient": builtin(decode_base64),
    "show": builtin(show),
    "readMaybe": builtin(read_number),
    "=~": builtin(matches),
    "pure": builtin(lambda value: Action(lambda: value)),
    "return": builtin(lambda value: Action(lambda: value)),
    "void": builtin(lambda action: action),
    "liftIO": builtin(lambda action: action),
    "liftBaseDiscard": builtin(lambda function: function),
    ">>=": builtin(bind),
    "mapConcurrently": builtin(concurrently),
    "mapM_": builtin(lambda function, items: sequence([apply(function, item) for item in items])),
}

"""`hspec-wai`: requests, and what their answers must be.

A text as a matcher is the whole body; JSON as a matcher is a body of that value and a JSON `Content-Type`; a number is a
status with whatever body. Fields that are set change one of them.
"""

import re
from dataclasses import dataclass, replace
from http import HTTPStatus

from haskell import Unsupported
from haskell.evaluate import Action, Constructor, Record, apply, builtin

from . import aeson
from .values import NOTHING, STATUS_OK, Empty, HeaderName, Json, as_bytes, equal, equal_json

# What may not stand in a path, and is written as %XX.
NOT_OF_PATH = re.compile(rb"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~:/?@!$&'()*+,;=%]")
METHODS = ["Get", "Head", "Post", "Put", "Patch", "Delete", "Options", "Connect", "Trace"]
JSON_TYPE = re.compile(r"application/json(\s*;\s*charset=utf-8)?")


@dataclass(frozen=True)
class Matcher:
    """What an answer must be; `None` for what does not matter."""

    status: int
    headers: list
    body: object

    def faults(self, response):
        """What of an answer is otherwise."""
        if self.status is not None and response.status != self.status:
            yield f"status {response.status}, not {self.status}"
        for header in self.headers:
            fault = fault_of_header(header, response)
            if fault:
                yield fault
        yield from fault_of_body(self.body, response.body)


def fault_of_header(header, response):
    if isinstance(header, tuple):
        is_there = any(equal(name, header[0]) and value == header[1] for name, value in response.headers)
        return None if is_there else f"no header {header[0]}: {header[1]}, but {values_of(header[0], response)}"
    if header is JSON_TYPE:
        is_json = any(JSON_TYPE.fullmatch(value) for value in values_of("Content-Type", response))
        return None if is_json else f"no JSON, but {values_of('Content-Type', response)}"
    told = header.fields[0](response.headers, response.body)
    return None if told == NOTHING else f"header: {told.fields[0].strip()} ({response.headers})"


def values_of(name, response):
    return [value for other, value in response.headers if equal(name, other)]


def fault_of_body(wanted, body):
    if wanted is None:
        return
    if isinstance(wanted, Json):
        try:
            if equal_json(aeson.decode(body), wanted.value):
                return
        except ValueError:
            pass
        yield f"body {shown(body)}, not {shown(aeson.encode(wanted.value))}"
    elif isinstance(wanted, Constructor):
        told = wanted.fields[0]([], body)
        if told != NOTHING:
            yield f"body: {told.fields[0]}"
    elif as_bytes(wanted) != body:
        yield f"body {shown(body)}, not {shown(as_bytes(wanted))}"


def shown(body, most=600):
    text = body.decode("utf-8", "replace")
    return text if len(text) <= most else f"{text[:most]}…"


def matcher(value):
    if isinstance(value, Matcher):
        return value
    if isinstance(value, int):
        return Matcher(value, [], None)
    if isinstance(value, Json):
        return Matcher(STATUS_OK, [JSON_TYPE], value)
    if isinstance(value, Record) and value.name == "ResponseMatcher":
        return update(Matcher(STATUS_OK, [], None), value.fields)
    if isinstance(value, (str, bytes, Empty)):
        return Matcher(STATUS_OK, [], value)
    raise Unsupported(f"{value!r} as what an answer must be")


def update(value, fields):
    """Sets fields of a matcher, or of what stands for one; of a record, its own."""
    if isinstance(value, Record):
        return Record(value.name, value.fields | fields)
    changed = matcher(value)
    for name, field in fields.items():
        if name == "matchStatus":
            changed = replace(changed, status=field)
        elif name == "matchHeaders":
            changed = replace(changed, headers=list(field))
        elif name == "matchBody":
            changed = replace(changed, body=field)
        else:
            raise Unsupported(name)
    return changed


def status_record(code):
    return Record("Status", {"statusCode": code, "statusMessage": ""})


def status_name(status):
    """`badRequest400`."""
    first, *others = re.findall(r"[A-Za-z]+", status.phrase)
    return first.lower() + "".join(word.capitalize() for word in others) + str(status.value)


def wire_path(path):
    """The path as it is sent; one that begins with no slash gets one."""
    path = as_bytes(path)
    path = path if path.startswith(b"/") else b"/" + path
    return NOT_OF_PATH.sub(lambda found: b"%%%02X" % found.group()[0], path).decode("ascii")


def byte_range(value):
    """The text of `ByteRangeFromTo 0 9` and its like."""
    first, *last = value.fields
    return f"{first}-{last[0]}" if last else f"{first}-"


def names_of(session):
    """What a module is given; requests go through `session`."""

    def request(method, path, headers, body):
        pairs = [(str(name), str(value)) for name, value in headers]
        return Action(lambda: session.send(method, wire_path(path), pairs, as_bytes(body)))

    def should_respond_with(action, wanted):
        def run():
            response = action.run()
            session.judge(response, matcher(wanted))
            return response

        return Action(run)

    def short(method, has_body):
        if has_body:
            return builtin(lambda path, body: request(method, path, [], body))
        return builtin(lambda path: request(method, path, [], ""))

    names = {f"method{name}": name.upper() for name in METHODS}
    for status in HTTPStatus:
        names[f"status{status.value}"] = names[status_name(status)] = status_record(status.value)
    names |= {f"h{name.replace('-', '')}": HeaderName(name) for name in HEADERS}
    for name, has_body in {"get": False, "delete": False, "options": False, "post": True, "put": True, "patch": True}.items():
        names[name] = short(name.upper(), has_body)
    return names | {
        "request": builtin(request),
        "shouldRespondWith": builtin(should_respond_with),
        "<:>": builtin(lambda name, value: (name, value)),
        "bodyEquals": builtin(lambda body: body),
        "renderByteRange": builtin(byte_range),
        "simpleStatus": builtin(lambda response: status_record(response.status)),
        "simpleHeaders": builtin(lambda response: response.headers),
        "simpleBody": builtin(lambda response: response.body),
        "statusCode": builtin(lambda status: status.fields["statusCode"]),
    }


HEADERS = ["Accept", "Authorization", "Content-Type", "Content-Length", "Content-Range", "Location", "Range"]

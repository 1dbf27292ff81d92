"""Holds the requests and expectations that are read from a checkout against a list of them made otherwise.

The list (`cases.json`) has for each test its requests in order, with what their answers must be. A test is compared as
far as it can be without a server: up to a request that depends on an earlier answer.
"""

import base64
import json
from dataclasses import dataclass, field

from haskell import Unsupported
from library import aeson
from library.hspec import Pending
from library.values import Json, Response, as_bytes
from session import Session


@dataclass
class Read:
    """A request as it was read, and what was expected of its answer."""

    method: str
    path: str
    headers: list
    body: bytes
    matchers: list = field(default_factory=list)


class Reader(Session):
    """Sends nothing: each request gets an empty answer."""

    def send(self, method, path, headers, body):
        self.requests.append(Read(method, path, headers, body))
        return Response(200, [], b"null")

    def judge(self, response, matcher):
        self.requests[-1].matchers.append(matcher)

    def fail(self, fault):
        pass


def read_all(checkout):
    """The requests of each test, by file and names."""
    reader = Reader()
    tests, unread = checkout.tests(reader)
    found = {}
    for test in tests:
        reader.begin()
        try:
            test.action.run()
        except (Unsupported, Pending, AttributeError, TypeError, ValueError, LookupError):
            # What an answer would have held is not there.
            pass
        found.setdefault((test.key.split(":")[0], " / ".join(test.names)), []).append(reader.requests)
    return found, unread


def compare(checkout, cases):
    """Prints each difference; gives the number of requests compared, and of those that differ."""
    found, _ = read_all(checkout)
    tests = {}
    for case in cases["cases"]:
        tests.setdefault(case["test"], []).append(case)
    compared = differing = 0
    for steps in tests.values():
        key = (steps[0]["file"].removeprefix("Feature/"), steps[0]["name"])
        versions = [kept(requests) for requests in found.get(key, [[]])]
        faults = min((list(differences(requests, steps)) for requests in versions), key=len)
        compared += len(steps)
        differing += len({step for step, _ in faults})
        for step, fault in faults:
            print(f"{key[0]} {key[1]} [{step}]: {fault}")
    return compared, differing


def kept(requests):
    """Without the calls that validate an answer, which a list of requests leaves out."""
    return [request for request in requests if request.path != "/rpc/validate_json_schema"]


def differences(requests, steps):
    """What differs, with the step's number."""
    for number, step in enumerate(steps):
        if number >= len(requests):
            yield number, f"not read: {step['method']} {step['path']}"
            continue
        request = requests[number]
        if "path_from" not in step and (request.method, request.path) != (step["method"], step["wire_path"]):
            yield number, f"{request.method} {request.path}, not {step['method']} {step['wire_path']}"
        if "dynamic_jwt" not in step and sorted(request.headers) != sorted(map(tuple, step["headers"])):
            yield number, f"{request.headers}, not {step['headers']}"
        body = base64.b64decode(step["body_base64"]) if "body_base64" in step else step["body"].encode()
        if request.body != body:
            yield number, f"body {request.body[:200]!r}, not {body[:200]!r}"
        for matcher in request.matchers:
            yield from ((number, fault) for fault in differing_expectations(matcher, step))


def differing_expectations(matcher, step):
    if matcher.status != step["expect_status"]:
        yield f"status {matcher.status}, not {step['expect_status']}"
    if "expect_json" in step and not (isinstance(matcher.body, Json) and same_json(matcher.body.value, step["expect_json"])):
        yield f"body {matcher.body}, not {step['expect_json']}"
    if "expect_text" in step and as_bytes(matcher.body) != step["expect_text"].encode():
        yield f"body {matcher.body!r}, not {step['expect_text']!r}"
    pairs = {(str(name), str(value)) for name, value in (header for header in matcher.headers if isinstance(header, tuple))}
    wanted = {(header["name"], header["value"]) for header in step["expect_headers"] if header["kind"] == "equals"}
    own = {pair for pair in wanted if pair[0] != "Content-Type"}
    if own - pairs:
        yield f"headers {pairs}, not {wanted}"


def same_json(one, other):
    return aeson.encode(one) == aeson.encode(json.loads(json.dumps(other), parse_float=lambda text: aeson.decode(text)))

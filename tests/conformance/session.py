"""Requests of one test over HTTP, and what their answers were not.

An expectation that fails is told of the request made last; the test goes on, so that each of its requests is made.
"""

import http.client
import threading
from dataclasses import dataclass, field

from library.values import HeaderName, Response

TIMEOUT_SECONDS = 30
WITH_BODY = ("POST", "PUT", "PATCH")


@dataclass
class Request:
    """A request with the faults found in its answer."""

    method: str
    path: str
    headers: list
    body: bytes
    faults: list = field(default_factory=list)


class Session:
    """Sends requests to the server at `port` of this machine, on one connection for each thread.

    `called` gives an answer in the names of the specification, where a store has others.
    """

    def __init__(self, port=None, called=lambda answer: answer):
        self.port = port
        self.called = called
        self.requests = []
        self.local = threading.local()

    def begin(self):
        """Forgets the requests of the test before."""
        self.requests = []

    def fail(self, fault):
        if not self.requests:
            self.requests.append(Request("", "", [], b""))
        self.requests[-1].faults.append(fault)

    def judge(self, response, matcher):
        for fault in matcher.faults(response):
            self.fail(fault)

    def send(self, method, path, headers, body):
        self.requests.append(Request(method, path, headers, body))
        try:
            return self.exchange(method, path, headers, body)
        except (http.client.HTTPException, OSError) as error:
            # A connection that was kept may have been closed by the server meanwhile.
            self.local.connection = None
            try:
                return self.exchange(method, path, headers, body)
            except (http.client.HTTPException, OSError):
                self.fail(f"no answer: {error}")
                return Response(0, [], b"")

    def exchange(self, method, path, headers, body):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
            self.local.connection = connection
        names_host = any(name.lower() == "host" for name, _ in headers)
        connection.putrequest(method, path, skip_host=names_host, skip_accept_encoding=True)
        for name, value in headers:
            # What belongs to the connection is not the test's.
            if name.lower() not in ("connection", "content-length"):
                connection.putheader(name, value.encode("latin-1", "replace"))
        if body or method in WITH_BODY:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        received = [(HeaderName(name), value) for name, value in answer.getheaders()]
        return self.called(Response(answer.status, received, answer.read()))

    def restart(self, port):
        """Goes on with another server."""
        self.port, self.local = port, threading.local()

#!/usr/bin/env python3
"""Replays PostgREST's own specification against berth over HTTP.

    run.py --source TREE                the whole suite, held against the ledger and the documentation
    run.py --source TREE --only TEXT    tests whose place or name has this text; failures are shown
    run.py --source TREE --cases FILE   only holds what is read from the tree against a list made otherwise
    run.py --check                      only holds the documentation against the ledger

Ends with 1 when a test fails that the ledger does not list, when one passes that it lists, or when a check does not hold.
"""

import argparse
import json
import pathlib
import sys
from collections import Counter
from dataclasses import dataclass

# Before the modules beside this one: a test leaves nothing in the source tree.
sys.dont_write_bytecode = True

import ledger
import suite
import verify
from haskell import Unsupported
from library.hspec import Pending
from server import Server
from session import Session
from stores.postgres import Postgres
from stores.sqlite import Sqlite

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VERSION = "16.2"
STORES = {"postgres": Postgres, "sqlite": Sqlite}


@dataclass
class Result:
    """What a test came to."""

    test: object
    requests: list

    @property
    def faults(self):
        return [(request, fault) for request in self.requests for fault in request.faults]


def main():
    options = arguments()
    entries = ledger.read(options.ledger or HERE / "ledger" / f"{options.store}.toml")
    if options.check:
        document = ledger.Document(options.document, options.store)
        return hold(document, ledger.render(document.totals(), entries), options.update)
    if options.source is None:
        raise SystemExit("--source names no source tree of PostgREST")
    if options.cases:
        return hold_cases(options)
    store = STORES[options.store](options.source / "test" / "spec" / "fixtures", options.berth)
    try:
        store.start()
        results, pending, unread = replay(options, store)
    finally:
        store.stop()
    known = ledger.expected(entries, store.lacks)
    faults = report(results, pending, unread, known, options)
    if options.only:
        return bool(any(result.faults for result in results))
    document = ledger.Document(options.document, options.store)
    return hold(document, ledger.render(ledger.totals_of(result.test.key for result in results), entries), options.update) or faults


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=pathlib.Path, help=f"a source tree of PostgREST v{VERSION}")
    parser.add_argument("--store", choices=STORES, default="postgres")
    parser.add_argument("--berth", default=ROOT / "target" / "debug" / "berth", help="the program that is tested")
    parser.add_argument("--ledger", type=pathlib.Path)
    parser.add_argument("--document", type=pathlib.Path, default=ROOT / "docs" / "dialect.md")
    parser.add_argument("--cases", type=pathlib.Path, help="a list of requests and what they are answered")
    parser.add_argument("--only", help="a part of a test's place or name")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--update", action="store_true", help="writes the documentation's part anew")
    return parser.parse_args()


def checkout(options, server_version):
    found = suite.Checkout(options.source, server_version)
    if found.version != VERSION:
        raise SystemExit(f"{options.source} is PostgREST {found.version}, not {VERSION}")
    return found


def hold_cases(options):
    compared, differing = verify.compare(checkout(options, 15), json.loads(options.cases.read_text()))
    print(f"{compared} requests compared, {differing} differ")
    return bool(differing)


def replay(options, store):
    """Results of all tests, those that are pending, and what could not be read. One server for each configuration."""
    session = Session(called=store.called)
    tests, unread = checkout(options, store.version).tests(session)
    if options.only:
        tests = [test for test in tests if options.only in f"{test.key} {' / '.join(test.names)}"]
    groups = {}
    for test in tests:
        groups.setdefault(json.dumps(test.config, sort_keys=True), []).append(test)
    results, pending = [], []
    for config, group in groups.items():
        store.reset()
        with Server(options.berth, store.environment(json.loads(config))) as server:
            session.restart(server.port)
            for test in group:
                run(test, session, results, pending)
    return results, pending, unread


def run(test, session, results, pending):
    session.begin()
    try:
        test.action.run()
    except Pending as reason:
        pending.append((test, str(reason)))
        return
    except Unsupported as error:
        session.fail(f"cannot be run: {error}")
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        session.fail(f"the answer has another form: {error!r}")
    results.append(Result(test, session.requests))


def report(results, pending, unread, known, options):
    """Prints figures and surprises; gives whether there are any."""
    failed = {result.test.key: result for result in results if result.faults}
    present = {result.test.key for result in results}
    surprising = [key for key in failed if key not in known or options.only]
    for key in surprising:
        show(failed[key])
    for place, reason in unread.items():
        print(f"not read: {place}: {reason}")
    stale = [key for key in known if key not in failed and (key in present or not options.only)]
    for key in stale:
        print(f"passes, but is listed: {key}" if key in present else f"listed, but there is no such test: {key}")
    for test, reason in pending:
        print(f"pending: {test.key}: {reason}")
    figures(results)
    return bool(surprising or stale or unread)


def show(result):
    print(f"FAILED {result.test.key} {' / '.join(result.test.names)}")
    shown = None
    for request, fault in result.faults:
        if request is not shown:
            print(f"  {request.method} {request.path} {request.headers} {request.body[:200]!r}")
            shown = request
        print(f"    {fault}")


def figures(results):
    tests, passed = Counter(), Counter()
    for result in results:
        group = ledger.group_of(result.test.key)
        tests[group] += 1
        passed[group] += not result.faults
    for group in tests:
        print(f"{passed[group]:5} of {tests[group]:5} tests {group} ({ledger.share(passed[group], tests[group])})")
    requests = [request for result in results for request in result.requests]
    good = sum(not request.faults for request in requests)
    print(f"{passed.total():5} of {tests.total():5} tests, {good} of {len(requests)} requests ({ledger.share(good, len(requests))})")


def hold(document, part, update):
    """Whether the document says something else."""
    if document.part == part:
        return False
    if update:
        document.write(part)
        return False
    print(f"{document.path} is not what the ledger and the suite give: run `make conformance UPDATE=1`")
    return True


if __name__ == "__main__":
    sys.exit(main())

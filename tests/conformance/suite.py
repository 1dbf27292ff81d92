"""The tests of a checkout of PostgREST, read from its specification.

`Main.hs` names the specifications, each a function of a module; running one defines its tests.
"""

import re

from haskell import Unsupported
from haskell.evaluate import Module, apply, builtin
from haskell.parser import parse
from library import aeson, helpers, hspec, prelude, settings, wai

SPECIFICATION = re.compile(r"(Feature[\w.]*Spec)\.([a-z]\w*)( actualPgVersion)?")
# What the specification's own tokens are signed with, unless it says otherwise.
SECRET = "reallyreallyreallyreallyverysafe"
VERSION = re.compile(r"^version:\s*(\S+)", re.MULTILINE)


class Checkout:
    """A source tree of PostgREST."""

    def __init__(self, source, server_version):
        self.source = source
        self.server_version = server_version
        self.specifications = source / "test" / "spec"
        self.version = VERSION.search((source / "postgrest.cabal").read_text()).group(1)

    @property
    def fixtures(self):
        return self.specifications / "fixtures"

    def tests(self, session):
        """All tests, whose requests go through `session`; and for what cannot be read, where and why."""
        outside, suite, unread = self.libraries(session), hspec.Suite(), {}
        outside |= suite.names_of(session)
        module = self.module("SpecHelper.hs", outside)
        helper = {name: module.names[name] for name in module.names}
        helper |= helpers.names_of(self.source, SECRET, self.version)
        module.names.update(helper)
        for name, function, takes_version in self.listed():
            suite.file = name.removeprefix("Feature.").replace(".", "/") + ".hs"
            try:
                definitions = self.module("Feature/" + suite.file, helper)
                specification = definitions.get(function)
                if takes_version:
                    specification = apply(specification, self.server_version)
                apply(specification, builtin(suite.with_config)).run()
            except Unsupported as error:
                unread[f"{suite.file} {function}"] = str(error)
        for test in suite.tests:
            test.config = settings.environment(test.config)
        return suite.tests, unread

    def module(self, path, outside):
        text = (self.specifications / path).read_text()
        return Module(parse(text), outside, quote, wai.update)

    def libraries(self, session):
        names = {}
        for part in (prelude.NAMES, aeson.NAMES, wai.names_of(session)):
            names |= part
        return names | helpers.names_of(self.source, SECRET, self.version)

    def listed(self):
        """Module, function, and whether it takes the server's version, in the order of `Main.hs`."""
        text = (self.specifications / "Main.hs").read_text()
        text = re.sub(r'^import.*$|"[^"]*"', "", text, flags=re.MULTILINE)
        found = [match.groups() for match in SPECIFICATION.finditer(text)]
        return list(dict.fromkeys((name, function, bool(version)) for name, function, version in found))


def quote(quoter, text, look_up):
    """`[json|…|]`, `[aesonQQ|…|]`, and `[str|…|]`, whose further lines begin behind a bar."""
    if quoter in ("json", "aesonQQ"):
        return aeson.quoted(text, look_up)
    if quoter == "str":
        return re.sub(r"\n[ \t]*(\||$)", "\n", text)
    raise Unsupported(f"quasi-quote {quoter}")

"""`hspec`: the tree of tests, and expectations on values."""

from dataclasses import dataclass, field

from haskell.evaluate import Action, Placed, apply, builtin

from .values import equal


class Pending(Exception):
    """The test says itself that it is not to be run."""


@dataclass
class Test:
    """One `it`: where it stands, and what it does.

    `key` names it for good: file, line, and a count for each further one of the same line.
    """

    key: str
    names: list
    config: dict
    action: Action


@dataclass
class Suite:
    """Tests in the order of their definition."""

    tests: list = field(default_factory=list)
    file: str = ""
    names: list = field(default_factory=list)
    config: object = None

    def with_config(self, config, specification):
        def run():
            outer, self.config = self.config, config
            specification.run()
            self.config = outer
            return ()

        return Action(run)

    def describe(self, name, specification):
        def run():
            self.names.append(name)
            specification.run()
            self.names.pop()
            return ()

        return Action(run)

    def it(self, line):
        def define(name, action):
            def run():
                key = f"{self.file}:{line}"
                again = sum(test.key.split("#")[0] == key for test in self.tests)
                key += f"#{again + 1}" if again else ""
                self.tests.append(Test(key, [*self.names, name], self.config, action))
                return ()

            return Action(run)

        return builtin(define)

    def names_of(self, session):
        """What a module is given; expectations tell `session` when they fail."""

        def expect(holds, told):
            def test(got, wanted):
                def run():
                    if not holds(got, wanted):
                        session.fail(f"{told}: {got!r}, {wanted!r}")
                    return ()

                return Action(run)

            return builtin(test)

        def pending(reason):
            def run():
                raise Pending(reason)

            return Action(run)

        contains = lambda got, wanted: all(any(equal(part, item) for item in got) for part in wanted)
        return {
            "describe": builtin(self.describe),
            "context": builtin(self.describe),
            "it": Placed(self.it),
            "pendingWith": builtin(pending),
            "shouldBe": expect(equal, "is not"),
            "shouldNotBe": expect(lambda got, wanted: not equal(got, wanted), "is"),
            "shouldSatisfy": expect(lambda got, test: apply(test, got) is True, "does not satisfy"),
            "shouldContain": expect(contains, "does not contain"),
        }

"""Where the fixtures are while the tests run.

A store has `start()`, `reset()` (the fixtures as they were loaded), `environment(config)` (what a server is started
with), `called(answer)` (an answer in the names of the specification), `lacks` (names of what this machine does not have,
for the ledger), `version` and `stop()`.
"""

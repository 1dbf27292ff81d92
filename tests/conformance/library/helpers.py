"""Helpers of the specification that rest on libraries which are not here: tokens, files, the clock, SQL's costs.

They take the place of the definitions of the same name in `SpecHelper.hs`.
"""

import base64
import hashlib
import hmac
import time

from haskell.evaluate import Action, Constructor, Function, builtin

from . import aeson
from .values import NOTHING, as_bytes

# What the cost of a plan is that cannot be read: greater than any.
NO_COST = 1_000_000_000.0


def url_base64(text):
    return base64.urlsafe_b64encode(text).rstrip(b"=")


def sign(claims, secret):
    """A token by HS256."""
    signed = url_base64(b'{"alg":"HS256"}') + b"." + url_base64(as_bytes(claims))
    signature = hmac.new(as_bytes(secret), signed, hashlib.sha256).digest()
    return (signed + b"." + url_base64(signature)).decode()


def is_error_format(body):
    try:
        document = aeson.decode(body)
    except ValueError:
        return False
    return "message" in document and set(document) <= {"message", "details", "hint", "code"}


def plan_cost(response):
    cost = aeson.preview(response.body, aeson.nth(0).then(aeson.key("Plan")).then(aeson.key("Total Cost")))
    return NO_COST if cost == NOTHING else float(cost.fields[0].value)


def rows_to_insert(rows):
    names = range(20, rows + 21)
    return aeson.encode([{"name": f"Lang {number}", "rank": number} for number in names])


def names_of(source, secret, version):
    """What replaces definitions; `source` is the source tree, `version` that of the specification, e.g. `16.2`."""
    fixtures = source / "test" / "spec" / "fixtures"
    return {
        "generateJWT": builtin(lambda claims: sign(claims, secret)),
        "generateJWTWithSecret": builtin(sign),
        "isErrorFormat": builtin(is_error_format),
        "planCost": builtin(plan_cost),
        "getInsertDataForTiobePlsTable": builtin(rows_to_insert),
        "readFixtureFile": builtin(lambda name: (fixtures / name).read_bytes()),
        "readFile": builtin(lambda name: Action(lambda: (source / name).read_bytes())),
        "relativeSeconds": builtin(lambda seconds: Action(lambda: int(time.time()) + seconds)),
        "parseSecret": builtin(lambda secret: Constructor("Right", (secret,))),
        "defaultRoleJSPathKey": "$.role",
        "docsVersion": f"v{version.split('.')[0]}",
        "prettyVersion": version,
        "pgVersion180": 18,
        "pgVersion190": 19,
        "threadDelay": Function(1, lambda _: Action(lambda: ())),
    }

"""A configuration of the specification (`AppConfig`) as the environment of a server."""

import json

from haskell import Unsupported
from haskell.evaluate import Constructor

from .values import NOTHING

# Fields that say how a test runs in one process, or that no test changes.
IGNORED = {
    "configJWKS", "configDbUri", "configDbConfig", "configFilePath", "configLogLevel", "configLogQuery",
    "configDbChannel", "configDbChannelEnabled", "configDbPoolSize", "configDbPoolAcquisitionTimeout",
    "configDbPoolMaxLifetime", "configDbPoolMaxIdletime", "configDbPoolAutomaticRecovery", "configServerHost",
    "configServerPort", "configServerReusePort", "configServerUnixSocket", "configServerUnixSocketMode",
    "configAdminServerHost", "configAdminServerPort", "configAdminServerUnixSocket",
    "configAdminServerUnixSocketMode", "configRoleSettings", "configRoleIsoLvl", "configInternalSCQuerySleepFst",
    "configInternalSCQuerySleepSnd", "configDbTxAllowOverride", "configDbTxRollbackAll", "configAppSettings",
}  # fmt: skip
NAMES = {
    "configClientErrorVerbosity": "CLIENT_ERROR_VERBOSITY",
    "configDbAggregates": "DB_AGGREGATES_ENABLED",
    "configDbAnonRole": "DB_ANON_ROLE",
    "configDbExtraSearchPath": "DB_EXTRA_SEARCH_PATH",
    "configDbHoistedTxSettings": "DB_HOISTED_TX_SETTINGS",
    "configDbMaxRows": "DB_MAX_ROWS",
    "configDbPlanEnabled": "DB_PLAN_ENABLED",
    "configDbPreConfig": "DB_PRE_CONFIG",
    "configDbPreRequest": "DB_PRE_REQUEST",
    "configDbPreparedStatements": "DB_PREPARED_STATEMENTS",
    "configDbRootSpec": "DB_ROOT_SPEC",
    "configDbSchemas": "DB_SCHEMAS",
    "configJwtAudience": "JWT_AUD",
    "configJwtCacheMaxEntries": "JWT_CACHE_MAX_ENTRIES",
    "configJwtRoleClaimKey": "JWT_ROLE_CLAIM_KEY",
    "configJwtSecret": "JWT_SECRET",
    "configJwtSecretIsBase64": "JWT_SECRET_IS_BASE64",
    "configOpenApiMode": "OPENAPI_MODE",
    "configOpenApiSecurityActive": "OPENAPI_SECURITY_ACTIVE",
    "configOpenApiServerProxyUri": "OPENAPI_SERVER_PROXY_URI",
    "configServerCorsAllowedOrigins": "SERVER_CORS_ALLOWED_ORIGINS",
    "configServerTimingEnabled": "SERVER_TIMING_ENABLED",
    "configServerTraceHeader": "SERVER_TRACE_HEADER",
    "configUrlUseLegacyTargetNames": "URL_USE_LEGACY_TARGET_NAMES",
}
WORDS = {
    "OAFollowPriv": "follow-privileges",
    "OAIgnorePriv": "ignore-privileges",
    "OADisabled": "disabled",
    "Verbose": "verbose",
    "Minimal": "minimal",
}
# Of `(rolls everything back, may be overridden)`.
TX_END = {
    (False, False): "commit",
    (False, True): "commit-allow-override",
    (True, False): "rollback",
    (True, True): "rollback-allow-override",
}


def environment(config):
    """Variables by name; those that have no value are left out, but for the two that may be empty."""
    fields = config.fields
    unknown = set(fields) - IGNORED - set(NAMES)
    if unknown:
        raise Unsupported(f"setting {unknown}")
    found = {f"PGRST_{NAMES[field]}": text(value) for field, value in fields.items() if field in NAMES}
    for name, value in fields["configAppSettings"]:
        found[f"PGRST_APP_SETTINGS_{name.removeprefix('app.settings.').upper()}"] = value
    found["PGRST_DB_TX_END"] = TX_END[fields["configDbTxRollbackAll"], fields["configDbTxAllowOverride"]]
    may_be_empty = {"PGRST_DB_EXTRA_SEARCH_PATH", "PGRST_DB_ANON_ROLE"}
    return {name: value for name, value in found.items() if value or name in may_be_empty}


def text(value):
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (int, str)):
        return str(value)
    if isinstance(value, list):
        return ", ".join(value)
    if value == NOTHING:
        return ""
    if value.name in WORDS:
        return WORDS[value.name]
    if value.name in ("Just", "Right"):
        return text(value.fields[0])
    if isinstance(value, Constructor) and value.name == "QualifiedIdentifier":
        return ".".join(str(part) for part in value.fields if part)
    raise Unsupported(f"{value!r} as a setting")

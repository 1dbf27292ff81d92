//! Every variable: declared, documented and defaulted here and nowhere else.

use std::fmt::Write as _;

/// One variable of the environment.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Names it also answers to: `PostgREST`'s, so that a deployment moves by changing its image.
    pub aliases: &'static [&'static str],
    /// What holds when nothing is typed.
    pub default: Preset,
    /// Whether `<name>_FILE` may name a file that holds the value.
    pub source: Source,
    /// What it does, in a sentence or two.
    pub meaning: &'static str,
    /// Heading in the reference.
    pub section: &'static str,
}

/// What holds when nothing is typed.
#[derive(Debug, Clone, Copy)]
pub enum Preset {
    /// Nothing.
    Nothing,
    /// As if this had been typed.
    Typed(&'static str),
    /// Found out at start; how, in words.
    Computed(&'static str),
}

/// Where a value may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The variable.
    Value,
    /// The variable, or a file that `<name>_FILE` names.
    ValueOrFile,
}

/// A variable, of `PostgREST` or of OpenTelemetry, that is taken without complaint but does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Ignored {
    /// Its name, or the beginning of it when it ends with `_`.
    pub name: &'static str,
    /// Why, for the log.
    pub reason: &'static str,
}

const fn plain(
    section: &'static str,
    name: &'static str,
    aliases: &'static [&'static str],
    default: Preset,
    meaning: &'static str,
) -> Variable {
    Variable { name, aliases, default, source: Source::Value, meaning, section }
}

const fn secret(
    section: &'static str,
    name: &'static str,
    aliases: &'static [&'static str],
    default: Preset,
    meaning: &'static str,
) -> Variable {
    Variable { name, aliases, default, source: Source::ValueOrFile, meaning, section }
}

use Preset::{Computed, Nothing, Typed};

const LISTEN: &str = "Listening";
const STORE: &str = "Where the data is";
const API: &str = "What is shown";
const ACCESS: &str = "Who may ask";
const BOUNDS: &str = "Bounds";
const LOG: &str = "Telemetry";

/// Every variable, in the order of the reference.
pub const VARIABLES: &[Variable] = &[
    plain(LISTEN, "PORT", &["PGRST_SERVER_PORT"], Typed("8080"), "Port to listen on; `0` takes any free one."),
    plain(
        LISTEN,
        "HOST",
        &["PGRST_SERVER_HOST"],
        Typed("0.0.0.0"),
        "Address to listen on. PostgREST's `*`, `*4`, `!4` mean all of IPv4, `*6` and `!6` all of IPv6.",
    ),
    plain(
        LISTEN,
        "CORS_ORIGINS",
        &["PGRST_SERVER_CORS_ALLOWED_ORIGINS"],
        Typed("*"),
        "Origins whose scripts may read answers, separated by commas. Listed ones may send credentials; `*` is everyone \
         without.",
    ),
    plain(
        LISTEN,
        "SERVER_TRACE_HEADER",
        &["PGRST_SERVER_TRACE_HEADER"],
        Nothing,
        "A request header that is sent back as it came.",
    ),
    plain(
        LISTEN,
        "SERVER_TIMING_ENABLED",
        &["PGRST_SERVER_TIMING_ENABLED"],
        Typed("false"),
        "Sends `Server-Timing` with each answer that is no error.",
    ),
    secret(STORE, "DATABASE_URL", &["PGRST_DB_URI"], Nothing, "A Postgres DSN. Set, it wins over the volume."),
    plain(STORE, "VOLUME", &[], Typed("./data"), "The mounted directory (`/data` in the image)."),
    plain(
        STORE,
        "DATABASE_NAME",
        &[],
        Typed("app"),
        "In place: `<VOLUME>/<name>.db`; shared log: `<VOLUME>/<name>/`. Letters, digits, `_` and `-`.",
    ),
    plain(
        STORE,
        "VOLUME_MODE",
        &[],
        Typed("auto"),
        "`auto` (the volume is probed), `in-place` (one SQLite file) or `shared-log` (an immutable file per commit group).",
    ),
    plain(STORE, "VOLUME_UNSAFE", &[], Typed("false"), "Uses a forced mode even where the probe calls it unsafe."),
    plain(
        STORE,
        "LOCAL_DIR",
        &[],
        Computed("`berth` in the system's temporary directory"),
        "Working copies of the shared log. May vanish at any time.",
    ),
    plain(
        STORE,
        "MIGRATIONS",
        &[],
        Typed("./migrations"),
        "Directory of `*.sql` migrations, applied at start when it exists (`/migrations` in the image; another one that is \
         missing is warned of); `none` applies none.",
    ),
    plain(
        STORE,
        "READ_STALENESS",
        &[],
        Typed("0s"),
        "Shared log: how old a look at the volume's tail may be when a read starts.",
    ),
    plain(STORE, "RETENTION", &[], Typed("24h"), "Shared log: how far back any moment can be restored."),
    plain(
        STORE,
        "DB_PREPARED_STATEMENTS",
        &["PGRST_DB_PREPARED_STATEMENTS"],
        Typed("true"),
        "Postgres: prepares statements on the server. Turn off behind a pooler in transaction mode (`pgbouncer=true` in the \
         DSN does the same, and turns `DB_CHANNEL_ENABLED` off).",
    ),
    plain(
        STORE,
        "DB_CHANNEL_ENABLED",
        &["PGRST_DB_CHANNEL_ENABLED"],
        Typed("true"),
        "Postgres: listens on `DB_CHANNEL` for a changed schema, while there are requests: after `POOL_IDLE_TIMEOUT` it \
         lets go, so that a serverless database can pause. Turn off behind a pooler in transaction mode.",
    ),
    plain(
        STORE,
        "DB_CHANNEL",
        &["PGRST_DB_CHANNEL"],
        Typed("pgrst"),
        "Postgres: the channel on which `NOTIFY` announces a changed schema.",
    ),
    plain(
        API,
        "DB_SCHEMAS",
        &["PGRST_DB_SCHEMAS", "PGRST_DB_SCHEMA"],
        Typed("public"),
        "Exposed schemas, separated by commas; the first is the default. SQLite has one, called `public`.",
    ),
    plain(
        API,
        "DB_EXTRA_SEARCH_PATH",
        &["PGRST_DB_EXTRA_SEARCH_PATH"],
        Typed("public"),
        "Postgres: schemas that functions and operators are also looked up in. May be empty.",
    ),
    plain(
        API,
        "DB_PRE_REQUEST",
        &["PGRST_DB_PRE_REQUEST"],
        Nothing,
        "Postgres: a function that runs before each request's statement.",
    ),
    plain(
        API,
        "DB_HOISTED_TX_SETTINGS",
        &["PGRST_DB_HOISTED_TX_SETTINGS"],
        Typed("statement_timeout, plan_filter.statement_cost_limit, default_transaction_isolation"),
        "Postgres: settings that a function is declared with (`SET …`) which hold for the whole transaction of its call.",
    ),
    plain(
        API,
        "DB_ROOT_SPEC",
        &["PGRST_DB_ROOT_SPEC"],
        Nothing,
        "A function whose answer replaces the description at `/`.",
    ),
    plain(
        API,
        "DB_AGGREGATES_ENABLED",
        &["PGRST_DB_AGGREGATES_ENABLED"],
        Typed("false"),
        "Allows aggregates such as `select=price.sum()`, which read whole tables.",
    ),
    plain(
        API,
        "DB_PLAN_ENABLED",
        &["PGRST_DB_PLAN_ENABLED"],
        Typed("false"),
        "Allows `Accept: application/vnd.pgrst.plan`, which shows how the database works.",
    ),
    plain(
        API,
        "URL_USE_LEGACY_TARGET_NAMES",
        &["PGRST_URL_USE_LEGACY_TARGET_NAMES"],
        Typed("true"),
        "Filters, orders and limits may name an embedded resource by its relation though it has an alias, with a `Warning` \
         in the answer.",
    ),
    plain(
        API,
        "DB_TX_END",
        &["PGRST_DB_TX_END"],
        Typed("commit"),
        "How a request's transaction ends: `commit`, `commit-allow-override`, `rollback` or `rollback-allow-override`.",
    ),
    plain(
        API,
        "OPENAPI_MODE",
        &["PGRST_OPENAPI_MODE"],
        Typed("follow-privileges"),
        "What `/` describes: `follow-privileges`, `ignore-privileges` or `disabled`.",
    ),
    plain(
        API,
        "OPENAPI_SERVER_PROXY_URI",
        &["PGRST_OPENAPI_SERVER_PROXY_URI"],
        Nothing,
        "The address that the description at `/` names as its base, e.g. `https://example.com/api`.",
    ),
    plain(
        API,
        "OPENAPI_SECURITY_ACTIVE",
        &["PGRST_OPENAPI_SECURITY_ACTIVE"],
        Typed("false"),
        "Whether the description names how to authorise.",
    ),
    plain(
        API,
        "CLIENT_ERROR_VERBOSITY",
        &["PGRST_CLIENT_ERROR_VERBOSITY"],
        Typed("verbose"),
        "`verbose` errors have details and hint; `minimal` ones only code and message.",
    ),
    plain(
        ACCESS,
        "ACCESS",
        &[],
        Typed("closed"),
        "`closed`: grants decide. `read`: anyone may read everything. `open`: anyone may do everything. The last two \
         warn at start.",
    ),
    plain(
        ACCESS,
        "ANON_ROLE",
        &["PGRST_DB_ANON_ROLE"],
        Typed("anon"),
        "Role of a request without a token. Set to nothing, such requests are refused.",
    ),
    secret(
        ACCESS,
        "JWT_SECRET",
        &["PGRST_JWT_SECRET"],
        Nothing,
        "The key that tokens are verified with: at least 32 characters, or a JWK or JWKS as JSON.",
    ),
    plain(
        ACCESS,
        "JWT_SECRET_IS_BASE64",
        &["PGRST_JWT_SECRET_IS_BASE64"],
        Typed("false"),
        "Whether `JWT_SECRET` is written in Base64.",
    ),
    secret(ACCESS, "JWKS", &[], Nothing, "Keys that tokens are verified with, as a JSON Web Key Set."),
    plain(
        ACCESS,
        "JWKS_URL",
        &[],
        Nothing,
        "Address of a JSON Web Key Set, e.g. of an identity provider; its public keys are fetched and kept up to date.",
    ),
    plain(
        ACCESS,
        "API_KEYS_FILE",
        &[],
        Nothing,
        "A file of keys for machine clients: SHA-256, role and claims of one on each line. Read anew when it changes.",
    ),
    plain(ACCESS, "JWT_AUD", &["PGRST_JWT_AUD"], Nothing, "The audience that a token must name."),
    plain(
        ACCESS,
        "JWT_ROLE_CLAIM",
        &["PGRST_JWT_ROLE_CLAIM_KEY"],
        Typed("$.role"),
        "Where in a token's claims the role stands, as a JSONPath: `$.app.roles[0]`, `$.roles[?(@ == 'editor')]`.",
    ),
    plain(
        ACCESS,
        "JWT_CACHE_MAX_ENTRIES",
        &["PGRST_JWT_CACHE_MAX_ENTRIES"],
        Typed("1000"),
        "Verified tokens that are remembered, so that a signature is checked once. `0` remembers none.",
    ),
    plain(
        BOUNDS,
        "MAX_ROWS",
        &["PGRST_DB_MAX_ROWS"],
        Computed("one per 16 KiB of memory, 1,000 to 100,000 (512 MiB: 32,768)"),
        "Most rows of one answer; `none` is unbounded.",
    ),
    plain(
        BOUNDS,
        "MAX_STREAM_ROWS",
        &[],
        Computed("what `MAX_ROWS` is set to, else `none`"),
        "Most rows of one answer that is streamed (`Accept: application/x-ndjson`), which needs no memory for them; `none` \
         is unbounded.",
    ),
    plain(
        BOUNDS,
        "STREAM_TIMEOUT",
        &[],
        Typed("5m"),
        "Time for one answer that is streamed, the time that its client takes to read it included.",
    ),
    plain(
        BOUNDS,
        "MAX_BODY",
        &[],
        Computed("1/32 of the memory, 1 MiB to 64 MiB (512 MiB: 16 MiB)"),
        "Largest body of a request, e.g. `10MB`, `512KiB`, at most `1GiB`. All bodies at one time together take at most a \
         quarter of the memory; past it a request with a body is told to come back.",
    ),
    plain(
        BOUNDS,
        "STATEMENT_TIMEOUT",
        &[],
        Typed("30s"),
        "Time for one request in the store, waiting included, e.g. `500ms`, `30s`. The time in which a platform freezes the \
         instance does not count.",
    ),
    plain(
        BOUNDS,
        "RATE_LIMIT",
        &[],
        Nothing,
        "How often someone may ask, per instance: `address=20/s` of each client, `sender=600/m` of each token's or key's \
         owner, `role:anon=100/s` of all of a role; several with commas. Past it `429` and `Retry-After`.",
    ),
    plain(
        BOUNDS,
        "TRUSTED_PROXIES",
        &[],
        Typed("0"),
        "Proxies in front that each add an address to `X-Forwarded-For`: the client's is that many from its end (1 on \
         Cloud Run). `0` takes the peer's and believes no header.",
    ),
    plain(
        BOUNDS,
        "QUEUE_LIMIT",
        &[],
        Computed("one per MiB of memory, 64 to 1,024 (512 MiB: 512)"),
        "Requests in flight. The next one gets 503 and `Retry-After` at once.",
    ),
    plain(
        BOUNDS,
        "POOL_SIZE",
        &["PGRST_DB_POOL"],
        Computed("four per core, 4 to 16"),
        "Connections to the database, opened as they are wanted. Instances times this must stay below the server's limit. At \
         most 1,000, and an eighth of the files that the process may open.",
    ),
    plain(
        BOUNDS,
        "POOL_TIMEOUT",
        &["PGRST_DB_POOL_ACQUISITION_TIMEOUT"],
        Typed("10s"),
        "Postgres: time a request waits for a connection before it gets 504.",
    ),
    plain(
        BOUNDS,
        "POOL_IDLE_TIMEOUT",
        &["PGRST_DB_POOL_MAX_IDLETIME"],
        Typed("30s"),
        "Postgres: time after which a connection that nobody used is closed; in the end also the one that listens.",
    ),
    plain(
        BOUNDS,
        "POOL_MAX_LIFETIME",
        &["PGRST_DB_POOL_MAX_LIFETIME"],
        Typed("30m"),
        "Postgres: time after which a connection is replaced by a new one.",
    ),
    plain(
        LOG,
        "LOG_FORMAT",
        &[],
        Computed("`text` on a terminal, else `json`"),
        "`json` writes one object a line with the field names of Google Cloud Logging; `text` is for people.",
    ),
    plain(
        LOG,
        "LOG_LEVEL",
        &["PGRST_LOG_LEVEL"],
        Typed("info"),
        "The least severity that is written: `error`, `warn`, `info` (each request), `debug` or `trace`.",
    ),
    plain(
        LOG,
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        &[],
        Nothing,
        "Address of an OpenTelemetry collector, e.g. `http://localhost:4318`: metrics go to `/v1/metrics` below it, spans to \
         `/v1/traces`, as JSON over HTTP.",
    ),
    plain(
        LOG,
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        &[],
        Nothing,
        "Address for metrics alone, used as it is; `none` pushes none.",
    ),
    plain(
        LOG,
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        &[],
        Nothing,
        "Address for spans alone, used as it is; `none` pushes none. A request is a span when its caller samples the trace.",
    ),
    secret(
        LOG,
        "OTEL_EXPORTER_OTLP_HEADERS",
        &[],
        Nothing,
        "Headers of each push: `name=value`, separated by commas, values percent-encoded.",
    ),
    plain(
        LOG,
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        &[],
        Typed("10000"),
        "Milliseconds that a push may take. Nobody waits for it.",
    ),
    plain(
        LOG,
        "OTEL_METRIC_EXPORT_INTERVAL",
        &[],
        Typed("60000"),
        "Milliseconds between two pushes. They come with requests, and once at the end.",
    ),
    plain(
        LOG,
        "OTEL_SERVICE_NAME",
        &[],
        Computed("`service.name` of `OTEL_RESOURCE_ATTRIBUTES`, else `K_SERVICE`, else `berth`"),
        "What telemetry calls the service.",
    ),
    plain(
        LOG,
        "OTEL_RESOURCE_ATTRIBUTES",
        &[],
        Nothing,
        "More that telemetry says of the instance: `name=value`, separated by commas.",
    ),
    plain(
        LOG,
        "K_SERVICE",
        &[],
        Nothing,
        "Set by Knative and Cloud Run: `service.name` of telemetry, unless it is typed.",
    ),
    plain(LOG, "K_REVISION", &[], Nothing, "Set by Knative and Cloud Run: `faas.version` of telemetry."),
    plain(
        LOG,
        "GOOGLE_CLOUD_PROJECT",
        &[],
        Nothing,
        "The project that trace ids in the log are linked to on Google Cloud.",
    ),
];

/// Taken without complaint, so that a `PostgREST` deployment starts; each is named in the log.
pub const IGNORED: &[Ignored] = &[
    Ignored { name: "PGRST_ADMIN_SERVER_", reason: "health, readiness and metrics are under /-/ on the same port" },
    Ignored { name: "PGRST_DB_CONFIG", reason: "settings are not read from the database" },
    Ignored { name: "PGRST_DB_PRE_CONFIG", reason: "settings are not read from the database" },
    Ignored { name: "PGRST_DB_POOL_AUTOMATIC_RECOVERY", reason: "broken connections are always replaced" },
    Ignored { name: "PGRST_LOG_QUERY", reason: "SQL is never written to the log" },
    Ignored { name: "PGRST_SERVER_", reason: "it listens on one TCP port" },
    Ignored { name: "PGRST_", reason: "berth has no such setting" },
    Ignored {
        name: "OTEL_EXPORTER_OTLP_PROTOCOL",
        reason: "telemetry is sent as http/json, which collectors take where they take http/protobuf",
    },
];

/// The reference, as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         Everything is set by environment variables; nothing has to be. Sizes are written `10MB` or `512KiB`, durations \
         `500ms`, `30s`, `15m`, `24h` (a bare number is seconds), switches `true` or `false`, lists with commas. An empty \
         value is as good as none, but for `ANON_ROLE` and `DB_EXTRA_SEARCH_PATH`. Where a *file* is mentioned, `<NAME>_FILE` may name a file that holds the value, as \
         secrets are mounted.\n\n\
         PostgREST's names are understood as second names; a variable's own name wins. Their values may be `@path`, as \
         there, to read a file.\n",
    );
    let mut section = "";
    for variable in VARIABLES {
        if variable.section != section {
            section = variable.section;
            let _ = write!(text, "\n## {section}\n\n| variable | default | meaning |\n|---|---|---|\n");
        }
        let _ = writeln!(text, "| {} | {} | {} |", names(variable), default_of(variable), variable.meaning);
    }
    text.push_str(
        "\n## Settings for SQL\n\n`PGRST_APP_SETTINGS_<name>` becomes `app.settings.<name>`, which SQL on Postgres reads with \
         `current_setting`.\n\n\
         ## Taken but without effect\n\nNamed in the log at start. A name that ends with `_` stands for all that begin with \
         it and are not listed above.\n\n| variable | why |\n|---|---|\n",
    );
    for ignored in IGNORED {
        let _ = writeln!(text, "| `{}` | {} |", ignored.name, ignored.reason);
    }
    text
}

fn names(variable: &Variable) -> String {
    let mut names = format!("`{}`", variable.name);
    if variable.source == Source::ValueOrFile {
        names.push_str(" (*file*)");
    }
    for alias in variable.aliases {
        let _ = write!(names, "<br>`{alias}`");
    }
    names
}

fn default_of(variable: &Variable) -> String {
    match variable.default {
        Nothing => "none".to_owned(),
        Typed(text) => format!("`{text}`"),
        Computed(words) => words.to_owned(),
    }
}

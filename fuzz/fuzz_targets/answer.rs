//! Any request is answered, and never by a fault of this program: what was accepted runs on SQLite.
//!
//! Input: see `berth_fuzz::message`. Nothing that is written stays, so that an input does the same whatever came before.

#![no_main]

use std::future::poll_fn;
use std::sync::LazyLock;
use std::time::Duration;

use berth::auth::{Authenticator, ClaimPath, Identity, KeyRing, Keys, RateLimits, TokenCache, mint};
use berth::clock::Deadline;
use berth::pipeline::{App, Context};
use berth::plan::Engine;
use berth::response::{Reply, Verbosity, openapi};
use berth::store::sqlite::SqliteSettings;
use berth::store::{Sqlite, Store};
use berth::telemetry::Telemetry;
use berth_fuzz::message::Message;
use berth_fuzz::world;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const SECRET: &[u8] = b"a secret of at least thirty-two bytes, for fuzzing";

/// How long a request may take. A slow one is answered with 57014; one that does not heed it is found by libFuzzer.
const TIME: Duration = Duration::from_secs(2);

/// Codes of answers with a status of 500 that are not a fault of this program: a policy that leads back to its table, a
/// statement that is too slow or too large, an upsert that meets a row twice, a write to a view that takes none.
const EXPECTED: [&str; 7] = ["42P17", "57014", "54001", "54000", "53200", "21000", "55000"];

struct World {
    runtime: Runtime,
    app: App,
    tokens: Vec<(&'static str, String)>,
    _folder: TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (folder, file) = world::make();
    let telemetry = Telemetry::silent().expect("telemetry");
    let settings = SqliteSettings { readers: 1, ..SqliteSettings::new(file) };
    let store = Store::Sqlite(Sqlite::open(&settings, telemetry.clone()).expect("the database opens"));
    let authenticator = Authenticator {
        anonymous: Some(Identity::anonymous("anon")),
        keys: KeyRing::Fixed(Keys::from_secret(SECRET).expect("a secret")),
        api_keys: None,
        audience: None,
        role_claim: ClaimPath::parse("$.role").expect("a path"),
        cache: TokenCache::new(world::ROLES.len()),
        limits: RateLimits::none(),
    };
    let token = |role: &'static str| {
        let claims = serde_json::json!({ "role": role, "name": "ann", "sub": "7" });
        let token = mint::mint(SECRET, claims.as_object().expect("an object")).expect("a token");
        (role, format!("Bearer {token}"))
    };
    let app = App {
        store,
        settings: world::settings(Engine::Sqlite),
        authenticator,
        description: openapi::Settings::default(),
        answer_max_bytes: 1 << 20,
        verbosity: Verbosity::Verbose,
        tells_timing: false,
        telemetry,
    };
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    World { runtime, app, tokens: world::ROLES.map(token).to_vec(), _folder: folder }
});

fuzz_target!(|input: &[u8]| {
    let mut message = Message::read(input);
    let world = &*WORLD;
    if let Some((_, token)) = world.tokens.iter().find(|(role, _)| Some(*role) == message.role.as_deref()) {
        message.raw.headers.push(("authorization".to_owned(), token.clone()));
    }
    let context = Context { request_id: String::new(), deadline: Deadline::after(TIME), trace: None, client: None };
    let (reply, rest) = world.runtime.block_on(async {
        let mut reply = world.app.answer(&message.raw, &context).await;
        let rest = drain(&mut reply).await;
        (reply, rest)
    });
    assert!((200..600).contains(&reply.status), "{reply:?}");
    if reply.status == 500 {
        let error: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let code = error["code"].as_str().unwrap_or_default();
        assert!(EXPECTED.contains(&code), "{}", String::from_utf8_lossy(&reply.body));
    }
    if let Err(error) = rest {
        panic!("{error:?}");
    }
});

/// Reads what follows the body.
async fn drain(reply: &mut Reply) -> Result<(), berth::store::Error> {
    let Some(mut rest) = reply.rest.take() else { return Ok(()) };
    while let Some(piece) = poll_fn(|context| rest.poll_piece(context)).await {
        drop(piece?);
    }
    Ok(())
}

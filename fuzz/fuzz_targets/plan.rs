//! Any request is refused or becomes SQL: bounded, made of nothing but this program's words, quoted names and
//! placeholders, and, on SQLite, such as SQLite prepares.
//!
//! Input: see `berth_fuzz::message`. It is planned for both engines, against one schema.

#![no_main]

use std::sync::LazyLock;

use berth::auth::Identity;
use berth::catalog::Catalog;
use berth::plan::{Authorized, Engine, Plan, Settings};
use berth::request::{Origin, Request};
use berth::sql::{Work, render};
use berth::store::sqlite::plain::Held;
use berth_fuzz::message::Message;
use berth_fuzz::text::Words;
use berth_fuzz::world;
use libfuzzer_sys::fuzz_target;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use tempfile::TempDir;

/// Bytes of SQL that a request may become whatever it says, and for each byte of it. A `*` becomes all columns of a
/// table, each with its own form.
const FIXED_BYTES: usize = 64 << 10;
const BYTES_PER_BYTE: usize = 4 << 10;

struct World {
    held: Held,
    catalog: Catalog,
    words: Words,
    settings: [Settings; 2],
    _folder: TempDir,
}

thread_local! {
    static WORLD: LazyLock<World> = LazyLock::new(|| {
        let (folder, file) = world::make();
        let held = Held::open(&file).expect("the database opens");
        let catalog = held.catalog().expect("the catalog can be read");
        let words = Words::of(&format!("{catalog:?}"));
        // The store adds it to the connections that it counts with.
        held.connection()
            .create_scalar_function("berth_updated", 0, FunctionFlags::SQLITE_UTF8, |_| Ok(1_i64))
            .expect("a function");
        let settings = [Engine::Sqlite, Engine::Postgres].map(world::settings);
        World { held, catalog, words, settings, _folder: folder }
    });
}

fuzz_target!(|input: &[u8]| {
    let message = Message::read(input);
    let Ok(request) = Request::parse(&message.raw) else { return };
    let identity = Identity::anonymous(message.role.as_deref().unwrap_or("anon"));
    // Types of casts are the request's words.
    let said: String = form_urlencoded::parse(message.raw.query.as_bytes()).map(|(_, value)| value + " ").collect();
    WORLD.with(|world| {
        for settings in &world.settings {
            let Ok(plan) = Plan::make(request.clone(), &identity.role, &world.catalog, settings) else { continue };
            let origin = Origin::of(&message.raw);
            let Ok(authorized) = Authorized::authorize(plan, &identity, &world.catalog, settings, origin) else {
                continue;
            };
            let work = render(&authorized, world.catalog.version, settings.engine).work;
            let casts = if settings.engine == Engine::Postgres && said.contains("::") { said.as_str() } else { "" };
            for text in texts(&work) {
                let bound = FIXED_BYTES + BYTES_PER_BYTE * input.len();
                assert!(text.len() <= bound, "{} bytes of SQL: {text}", text.len());
                if let Some(stranger) = world.words.stranger(text, casts) {
                    panic!("{stranger:?} in {text}");
                }
                if settings.engine == Engine::Sqlite {
                    prepare(world.held.connection(), text);
                }
            }
        }
    });
});

/// The SQL of a work.
fn texts(work: &Work) -> Vec<&str> {
    match work {
        Work::Envelope { query, planned } => {
            let planned = planned.as_ref().map(|planned| planned.query.text.as_str());
            std::iter::once(query.text.as_str()).chain(planned).collect()
        }
        Work::Lines { head, planned, query } => {
            let planned = planned.as_ref().map(|planned| planned.query.text.as_str());
            [head.text.as_str(), query.text.as_str()].into_iter().chain(planned).collect()
        }
        Work::Rows { query, count, .. } => {
            std::iter::once(query).chain(count).map(|query| query.text.as_str()).collect()
        }
        Work::Write { runs, .. } => runs.iter().map(|run| run.text.as_str()).collect(),
        Work::Call(call) => {
            let runs = call.before.iter().chain(call.kept.as_ref().map(|kept| &kept.run));
            let queries = call.read.iter().chain(&call.count).map(|query| query.text.as_str());
            runs.map(|run| run.text.as_str()).chain(queries).collect()
        }
        Work::Explain { query, .. } => vec![query.text.as_str()],
        Work::None => Vec::new(),
    }
}

fn prepare(connection: &Connection, text: &str) {
    if let Err(error) = connection.prepare(text) {
        panic!("{error}: {text}");
    }
}

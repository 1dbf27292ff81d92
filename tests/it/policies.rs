//! Row policies: the same script on SQLite in place, on the shared log and on Postgres, which is the oracle.

mod attempts;
mod cases;
mod examples;
mod generated;
mod requests;
pub(crate) mod stores;
mod timing;
mod world;

use stores::Stores;

/// Roles belong to the whole server: no other test has these names.
const SCHEMA: &str = include_str!("policies/schema.sql");

#[test]
fn policies_mean_the_same_on_every_store() {
    let Some(stores) = Stores::start("policies", SCHEMA, "pol_anon") else { return };
    let mut compared = stores.compare();
    for (sender, requests) in cases::all("pol") {
        for request in requests {
            compared.send(&sender, &request);
        }
    }
    let (allowed, refused) = compared.finish();
    assert!(allowed + refused >= 60 && allowed > 20 && refused > 20, "{allowed} allowed, {refused} refused");
}

#[test]
fn no_way_leads_round_a_policy() {
    let Some(stores) = Stores::start("attempts", &SCHEMA.replace("pol_", "att_"), "att_anon") else { return };
    let mut compared = stores.compare();
    for attempt in attempts::all() {
        attempts::make(&attempt, &mut compared);
    }
    attempts::ask_for_existence(&mut compared);
    compared.finish();
}

#[test]
fn policies_and_grants_mean_the_same_after_a_copy_to_postgres() {
    let Some(stores) = Stores::start_copied("moved", &SCHEMA.replace("pol_", "mov_"), "mov_anon") else { return };
    let mut compared = stores.compare();
    for (sender, requests) in cases::all("mov") {
        for request in requests {
            compared.send(&sender, &request);
        }
    }
    let (allowed, refused) = compared.finish();
    assert!(allowed > 20 && refused > 20, "{allowed} allowed, {refused} refused");
}

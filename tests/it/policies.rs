//! Row policies: the same script on SQLite in place, on the shared log and on Postgres, which is the oracle.

mod attempts;
mod cases;
mod examples;
mod generated;
mod grants;
mod remembered;
mod requests;
mod round_trips;
pub(crate) mod stores;
mod timing;
mod views;
mod world;

use crate::differential::requests::Case;
use stores::{Sender, Stores};

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

/// Decimals that no number of SQLite holds, looked at by policies: of rows that are there and of rows that are made.
const DECIMALS: &str = "
    CREATE ROLE dec_anon;
    CREATE TABLE vaults (id int PRIMARY KEY, holder numeric(20, 0) NOT NULL, gold numeric DEFAULT 7.50, twice numeric
        GENERATED ALWAYS AS (gold * 2) STORED);
    INSERT INTO vaults (id, holder, gold) VALUES (1, 12345678901234567890, 10), (2, 12345678901234567891, 9), (3, 5, 2.50);
    ALTER TABLE vaults ENABLE ROW LEVEL SECURITY;
    CREATE POLICY seen ON vaults FOR SELECT USING (gold >= 9 OR holder = 5);
    CREATE POLICY made ON vaults FOR INSERT WITH CHECK (gold > 3.5 AND holder <> 12345678901234567890 AND abs(gold) < 100);
    CREATE POLICY changed ON vaults FOR UPDATE USING (holder = 12345678901234567891) WITH CHECK (gold BETWEEN 4 AND 20);
    CREATE POLICY gone ON vaults FOR DELETE USING (gold IN (10, 2.5));
    GRANT ALL ON vaults TO dec_anon;
";

#[test]
fn policies_look_at_decimals_of_any_size() {
    let Some(stores) = Stores::start("decimals", DECIMALS, "dec_anon") else { return };
    let mut compared = stores.compare();
    let write = |method: &'static str, path: &str, body: &str| {
        Case::write(method, path, body).prefer("return=representation, resolution=merge-duplicates")
    };
    let cases = [
        Case::get("/vaults?select=id&order=gold"),
        Case::get("/vaults?select=id&holder=eq.12345678901234567890"),
        write(
            "POST",
            "/vaults?columns=id,holder,gold&select=id",
            r#"{"id":4,"holder":12345678901234567890,"gold":50}"#,
        ),
        write(
            "POST",
            "/vaults?columns=id,holder,gold&select=id",
            r#"{"id":4,"holder":12345678901234567892,"gold":50}"#,
        ),
        write("POST", "/vaults?columns=id,holder,gold&select=id", r#"{"id":4,"holder":5,"gold":3.50}"#),
        write("POST", "/vaults?columns=id,holder,gold&select=id,gold", r#"{"id":4,"holder":5,"gold":3.51}"#),
        write("POST", "/vaults?columns=id,holder,gold&select=id,gold", r#"{"id":4,"holder":5,"gold":1000}"#),
        write("POST", "/vaults?columns=id,holder&select=id,gold", r#"{"id":4,"holder":5}"#),
        write("POST", "/vaults?columns=id,holder,gold&select=id,gold", r#"{"id":2,"holder":6,"gold":10.0}"#),
        write("POST", "/vaults?columns=id,holder,gold&select=id,gold", r#"{"id":1,"holder":6,"gold":10.0}"#),
        write("PATCH", "/vaults?id=gt.0&select=id,gold", r#"{"gold":20.00}"#),
        write("PATCH", "/vaults?id=gt.0&select=id", r#"{"gold":20.000000000000000000001}"#),
        write("PATCH", "/vaults?id=gt.0&select=id,gold", r#"{"gold":3}"#),
        write("DELETE", "/vaults?id=gt.0&select=id&order=id", ""),
    ];
    for case in &cases {
        compared.send(&Sender::anonymous(), case);
    }
    let (allowed, refused) = compared.finish();
    assert!(allowed >= 6 && refused >= 5, "{allowed} allowed, {refused} refused");
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

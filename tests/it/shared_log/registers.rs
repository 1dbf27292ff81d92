//! Clients that read, set, remove and compare-and-set registers through any instance, and write down what they were told
//! and when: the history must be linearizable, register by register.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use super::fleet::Fleet;
use super::linear::{self, Act, Operation, Value};
use crate::support::Answer;

pub const SCHEMA: &str = "CREATE TABLE registers (key int PRIMARY KEY, value bigint NOT NULL);";

/// Registers that are used at a time: few, so that clients meet.
const KEYS: u64 = 3;

/// How long, in microseconds, a set of registers is used: a history of a register stays short enough to be checked.
const KEYS_LAST: u64 = 500_000;

/// What all clients did.
#[derive(Default)]
pub struct Registers(Mutex<BTreeMap<u64, Vec<Operation>>>);

impl Registers {
    /// One client, until it is over.
    pub fn client(self: &Arc<Self>, fleet: &Arc<Fleet>, client: usize) -> Box<dyn FnOnce() + Send> {
        let (registers, fleet) = (Arc::clone(self), Arc::clone(fleet));
        Box::new(move || {
            let mut random = u64::try_from(client).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut number = 0;
            let mut seen = BTreeMap::new();
            while !fleet.is_over() {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let key = fleet.now() / KEYS_LAST * KEYS + (random >> 40) % KEYS;
                number += 1;
                let new = number * 100 + i64::try_from(client).unwrap();
                registers.operate(&fleet, client, key, (random >> 33) % 8, new, &mut seen);
            }
        })
    }

    fn operate(&self, fleet: &Fleet, client: usize, key: u64, kind: u64, new: i64, seen: &mut BTreeMap<u64, i64>) {
        let called = fleet.now();
        let told = match (kind, seen.get(&key).copied()) {
            (0..=3, _) => read(fleet, key).map(|value| (Act::Read(value), true)),
            (4, _) => write(fleet, key, Some(new)),
            (5, _) => write(fleet, key, None),
            (_, Some(old)) => swap(fleet, key, old, new),
            (_, None) => write(fleet, key, Some(new)),
        };
        // Nothing was done, or nothing was learned from a read.
        let Some((act, is_known)) = told else { return };
        match act {
            Act::Read(Some(value)) | Act::Write(Some(value)) | Act::Swap { new: value, is_swapped: true, .. } => {
                seen.insert(key, value);
            }
            Act::Read(None) | Act::Write(None) | Act::Swap { .. } | Act::SwapPerhaps { .. } => {}
        }
        let operation = Operation { act, called, returned: is_known.then(|| fleet.now()), client };
        self.0.lock().unwrap().entry(key).or_default().push(operation);
    }

    /// Checks every register's history.
    pub fn check(&self) {
        let histories = self.0.lock().unwrap();
        let operations: Vec<&Operation> = histories.values().flatten().collect();
        let unknown = operations.iter().filter(|operation| operation.returned.is_none()).count();
        eprintln!("{} operations on {} registers, {unknown} of unknown outcome", operations.len(), histories.len());
        assert!(operations.len() > 100, "hardly anything was done: the test shows nothing");
        for (key, history) in histories.iter() {
            if let Some(lines) = linear::fault(history) {
                panic!("the history of register {key} has no order (! what does not fit):\n{lines}");
            }
        }
    }

    /// All that was done, for people.
    pub fn text(&self) -> String {
        self.0.lock().unwrap().iter().fold(String::new(), |mut text, (key, history)| {
            let _ = writeln!(text, "register {key}");
            for operation in history {
                let _ = writeln!(text, "  {operation}");
            }
            text
        })
    }
}

fn read(fleet: &Fleet, key: u64) -> Option<Value> {
    let answer = fleet.client().try_get(&format!("/registers?key=eq.{key}")).filter(|answer| answer.status == 200)?;
    Some(answer.json()[0]["value"].as_i64())
}

fn write(fleet: &Fleet, key: u64, value: Value) -> Option<(Act, bool)> {
    let answer = match value {
        Some(value) => {
            let headers = [("Content-Type", "application/json"), ("Prefer", "resolution=merge-duplicates")];
            let body = format!(r#"{{"key":{key},"value":{value}}}"#);
            fleet.client().try_send("POST", "/registers", &headers, &body)
        }
        None => fleet.client().try_send("DELETE", &format!("/registers?key=eq.{key}"), &[], ""),
    };
    outcome(answer.as_ref()).map(|is_known| (Act::Write(value), is_known))
}

fn swap(fleet: &Fleet, key: u64, old: i64, new: i64) -> Option<(Act, bool)> {
    let path = format!("/registers?key=eq.{key}&value=eq.{old}");
    let answer = fleet.send("PATCH", &path, &format!(r#"{{"value":{new}}}"#));
    match outcome(answer.as_ref())? {
        true => {
            let is_swapped = answer.is_some_and(|answer| answer.json().as_array().unwrap().len() == 1);
            Some((Act::Swap { old, new, is_swapped }, true))
        }
        false => Some((Act::SwapPerhaps { old, new }, false)),
    }
}

/// Whether a write's outcome is known; `None` when it is known that nothing was done: berth says so unless it says that
/// it does not know (40003).
fn outcome(answer: Option<&Answer>) -> Option<bool> {
    let Some(answer) = answer else { return Some(false) };
    match answer.status {
        200..300 => Some(true),
        _ if answer.json()["code"] == "40003" => Some(false),
        // An instance that was frozen believes that the head of a request took that long.
        503 | 504 | 500 | 408 => None,
        status => panic!("{status}: {}", answer.body),
    }
}

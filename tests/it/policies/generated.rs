//! Policies, grants and requests made by chance: SQLite must answer as Postgres does. What differs is made smaller as
//! long as it differs, and then shown.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::requests;
use super::stores::{Sender, Stores};
use super::world::World;
use crate::differential::generated::Chance;
use crate::differential::requests::Case;
use crate::differential::seed;
use crate::support::{postgres, torture};

/// Worlds and requests of each, in an ordinary run and with `BERTH_TORTURE`.
const WORLDS: usize = 6;
const WORLDS_TORTURE: usize = 150;
const REQUESTS: usize = 120;

/// Most worlds that are tried while a difference is made smaller.
const SHRINKS_MAX: usize = 300;

const SEED: u64 = 5;

#[test]
fn generated_policies_mean_the_same_on_sqlite_and_postgres() {
    if postgres::cluster().is_none() {
        return;
    }
    let seed = seed(SEED);
    let worlds = if torture() { WORLDS_TORTURE } else { WORLDS };
    let mut chance = Chance(seed);
    let (mut allowed, mut refused) = (0, 0);
    for number in 0..worlds {
        let world = World::by_chance(&mut chance);
        let requests: Vec<(Sender, Case)> = (0..REQUESTS).map(|_| requests::by_chance(&mut chance)).collect();
        let stores = start(&world).expect("the world can be made");
        let mut compared = stores.compare_loosely();
        for (sender, case) in &requests {
            if compared.differs(sender, case) {
                drop(stores);
                let (world, difference) = shrink(world, sender, case);
                panic!("seed {seed}, world {number}: after\n{world}\n{difference}");
            }
        }
        let (yes, no) = compared.finish();
        (allowed, refused) = (allowed + yes, refused + no);
    }
    eprintln!("seed {seed}: {worlds} worlds, {allowed} allowed, {refused} refused");
    assert!(allowed > worlds * 10 && refused > worlds * 10, "{allowed} allowed, {refused} refused");
}

/// `None` when the stores do not take the world.
fn start(world: &World) -> Option<Stores> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let database = format!("generated_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    Stores::start_pair(&database, &world.to_string(), "gen_anon")
}

/// Leaves out of the world what can be left out while the request is still answered differently.
fn shrink(world: World, sender: &Sender, case: &Case) -> (World, String) {
    let difference = |world: &World| {
        let stores = start(world)?;
        let mut compared = stores.compare_loosely();
        compared.differs(sender, case).then(|| compared.differences())
    };
    let mut smallest = world;
    let mut told = difference(&smallest).unwrap_or_else(|| "it takes the requests before as well".to_owned());
    let mut tries = 0;
    loop {
        let found = smallest.smaller().into_iter().find_map(|smaller| {
            tries += 1;
            let told = (tries < SHRINKS_MAX).then(|| difference(&smaller)).flatten()?;
            Some((smaller, told))
        });
        match found {
            Some((smaller, difference)) => (smallest, told) = (smaller, difference),
            None => return (smallest, told),
        }
    }
}

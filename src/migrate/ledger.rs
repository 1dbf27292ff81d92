//! Which scripts are still to be applied.

use std::collections::BTreeMap;

use super::{Error, Script};

/// The scripts that are not in the ledger yet, in order. `applied`: name → checksum.
///
/// # Errors
/// [`Error::Changed`] when an applied script has another text now; [`Error::OutOfOrder`] when a new one sorts before
/// an applied one.
pub(super) fn pending<'a>(scripts: &'a [Script], applied: &BTreeMap<String, String>) -> Result<Vec<&'a Script>, Error> {
    let last = applied.keys().next_back();
    let mut pending = Vec::new();
    for script in scripts {
        match (applied.get(&script.name), last) {
            (Some(checksum), _) if *checksum == script.checksum => {}
            (Some(_), _) => return Err(Error::Changed { name: script.name.clone() }),
            (None, Some(last)) if script.name < *last => {
                return Err(Error::OutOfOrder { name: script.name.clone(), applied: last.clone() });
            }
            (None, _) => pending.push(script),
        }
    }
    Ok(pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(name: &str) -> Script {
        Script::new(name, "select 1").expect("a script")
    }

    #[test]
    fn what_is_applied_stays_and_what_is_new_comes_after_it() {
        let scripts = [script("1.sql"), script("2.sql")];
        let applied = |names: &[&str]| -> BTreeMap<String, String> {
            names.iter().map(|name| ((*name).to_owned(), script(name).checksum)).collect()
        };
        let names = |applied: &BTreeMap<String, String>| -> Result<Vec<String>, Error> {
            Ok(pending(&scripts, applied)?.iter().map(|script| script.name.clone()).collect())
        };
        assert_eq!(names(&applied(&[])).expect("pending"), ["1.sql", "2.sql"]);
        assert_eq!(names(&applied(&["1.sql"])).expect("pending"), ["2.sql"]);
        assert!(matches!(names(&applied(&["2.sql"])), Err(Error::OutOfOrder { .. })));
        let changed = BTreeMap::from([("1.sql".to_owned(), "other".to_owned())]);
        assert!(matches!(names(&changed), Err(Error::Changed { .. })));
    }
}

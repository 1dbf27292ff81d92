//! Words that are in nearly every text, and by which none is found.
//!
//! Which they are is a fact of Postgres' configurations: `build.rs` writes the lists, and a test that compares the two engines
//! holds them.

use super::Configuration;

/// The words that a language leaves out: sorted, one a line. Empty for one that leaves out none.
fn list(language: Configuration) -> &'static str {
    macro_rules! list {
        ($language:literal) => {
            include_str!(concat!(env!("OUT_DIR"), "/", $language, ".txt"))
        };
    }
    match language {
        Configuration::Danish => list!("danish"),
        Configuration::Dutch => list!("dutch"),
        Configuration::English => list!("english"),
        Configuration::Finnish => list!("finnish"),
        Configuration::French => list!("french"),
        Configuration::German => list!("german"),
        Configuration::Hungarian => list!("hungarian"),
        Configuration::Italian => list!("italian"),
        Configuration::Nepali => list!("nepali"),
        Configuration::Norwegian => list!("norwegian"),
        Configuration::Portuguese => list!("portuguese"),
        Configuration::Russian => list!("russian"),
        Configuration::Spanish => list!("spanish"),
        Configuration::Swedish => list!("swedish"),
        Configuration::Turkish => list!("turkish"),
        Configuration::Simple
        | Configuration::Arabic
        | Configuration::Armenian
        | Configuration::Basque
        | Configuration::Catalan
        | Configuration::Greek
        | Configuration::Hindi
        | Configuration::Indonesian
        | Configuration::Irish
        | Configuration::Lithuanian
        | Configuration::Romanian
        | Configuration::Serbian
        | Configuration::Tamil
        | Configuration::Yiddish => "",
    }
}

/// True for a word, in lower case, that the language leaves out.
pub(super) fn is_left_out(language: Configuration, word: &str) -> bool {
    let list = list(language);
    let (mut from, mut to) = (0, list.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let bytes = list.as_bytes();
        let is_line = |byte: &u8| *byte == b'\n';
        let start =
            bytes.get(from..middle).and_then(|part| part.iter().rposition(is_line)).map_or(from, |at| from + at + 1);
        let end = bytes.get(middle..to).and_then(|part| part.iter().position(is_line)).map_or(to, |at| middle + at);
        match bytes.get(start..end).unwrap_or_default().cmp(word.as_bytes()) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => from = end + 1,
            std::cmp::Ordering::Greater => to = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_every_list_is_found_and_no_other() {
        for language in Configuration::ALL {
            let words: Vec<&str> = list(language).lines().collect();
            assert!(words.is_sorted(), "{language:?}");
            for word in &words {
                assert!(is_left_out(language, word), "{language:?} {word}");
                assert!(!is_left_out(language, &format!("{word}qq")), "{language:?} {word}qq");
            }
            assert!(!is_left_out(language, "") && !is_left_out(language, "zebra") && !is_left_out(language, "я\nи"));
        }
    }
}

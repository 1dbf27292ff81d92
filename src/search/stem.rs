//! Words → stems, by which all forms of a word are found.
//!
//! Of the stemmers of Snowball those are taken that answer as Postgres 15 does: for some languages the ones of its second
//! release, which `rust-stemmers` has; for others later ones. Both crates were compared with the server, word for word.
//!
//! Source: <https://snowballstem.org/algorithms/>.

use rust_stemmers::Algorithm;
use waken_snowball::{SnowballEnv, algorithms as later};

use super::Configuration;

/// Longer words are their own stems, in bytes.
const STEMMED_MAX: usize = 1_000;

/// What finds the stems of a language.
enum Stemmer {
    /// None: a word is its own stem.
    None,
    /// A stemmer of the second release.
    Second(Algorithm),
    /// The one for French: the second release's, and two letters more.
    French,
    /// A later one.
    Later(fn(&mut SnowballEnv<'_>) -> bool),
}

/// The stem of a word in lower case.
pub(super) fn stem(language: Configuration, word: String) -> String {
    if word.len() > STEMMED_MAX {
        return word;
    }
    let stem = match stemmer(language) {
        Stemmer::None => return word,
        Stemmer::Second(algorithm) => rust_stemmers::Stemmer::create(algorithm).stem(&word).into_owned(),
        Stemmer::French => french(&word),
        Stemmer::Later(stem) => {
            let mut environment = SnowballEnv::create(&word);
            stem(&mut environment);
            environment.get_current().into_owned()
        }
    };
    // Nothing is no stem: of some short words all is an ending.
    if stem.is_empty() { word } else { stem }
}

fn stemmer(language: Configuration) -> Stemmer {
    match language {
        Configuration::Simple => Stemmer::None,
        Configuration::French => Stemmer::French,
        Configuration::Arabic => Stemmer::Later(later::arabic_stemmer::stem),
        Configuration::Armenian => Stemmer::Later(later::armenian_stemmer::stem),
        Configuration::Basque => Stemmer::Later(later::basque_stemmer::stem),
        Configuration::Catalan => Stemmer::Later(later::catalan_stemmer::stem),
        Configuration::Danish => Stemmer::Second(Algorithm::Danish),
        Configuration::Dutch => Stemmer::Second(Algorithm::Dutch),
        Configuration::English => Stemmer::Second(Algorithm::English),
        Configuration::Finnish => Stemmer::Later(later::finnish_stemmer::stem),
        Configuration::German => Stemmer::Second(Algorithm::German),
        Configuration::Greek => Stemmer::Second(Algorithm::Greek),
        Configuration::Hindi => Stemmer::Later(later::hindi_stemmer::stem),
        Configuration::Hungarian => Stemmer::Second(Algorithm::Hungarian),
        Configuration::Indonesian => Stemmer::Later(later::indonesian_stemmer::stem),
        Configuration::Irish => Stemmer::Later(later::irish_stemmer::stem),
        Configuration::Italian => Stemmer::Second(Algorithm::Italian),
        Configuration::Lithuanian => Stemmer::Later(later::lithuanian_stemmer::stem),
        Configuration::Nepali => Stemmer::Later(later::nepali_stemmer::stem),
        Configuration::Norwegian => Stemmer::Second(Algorithm::Norwegian),
        Configuration::Portuguese => Stemmer::Second(Algorithm::Portuguese),
        Configuration::Romanian => Stemmer::Second(Algorithm::Romanian),
        Configuration::Russian => Stemmer::Later(later::russian_stemmer::stem),
        Configuration::Serbian => Stemmer::Later(later::serbian_stemmer::stem),
        Configuration::Spanish => Stemmer::Second(Algorithm::Spanish),
        Configuration::Swedish => Stemmer::Second(Algorithm::Swedish),
        Configuration::Tamil => Stemmer::Second(Algorithm::Tamil),
        Configuration::Turkish => Stemmer::Second(Algorithm::Turkish),
        Configuration::Yiddish => Stemmer::Later(later::yiddish_stemmer::stem),
    }
}

/// French with `ë` and `ï`, which later releases know: vowels that a vowel before them does not swallow, and that belong to
/// no ending of a verb. A capital holds their place, which no other letter of a word is.
fn french(word: &str) -> String {
    if !word.contains(['ë', 'ï']) {
        return rust_stemmers::Stemmer::create(Algorithm::French).stem(word).into_owned();
    }
    let mut prepared = String::with_capacity(word.len() + 2);
    let mut rest = word.chars();
    while let Some(letter) = rest.next() {
        let begins_ending = || {
            let rest = rest.as_str();
            rest.starts_with(['c', 'f', 'q', 'v'])
                || ["sm", "ssement", "st", "té"].iter().any(|ending| rest.starts_with(ending))
        };
        match letter {
            'ë' => prepared.push_str("He"),
            'ï' => prepared.push_str(if begins_ending() { "Hi" } else { "Hû" }),
            letter => prepared.push(letter),
        }
    }
    let stem = rust_stemmers::Stemmer::create(Algorithm::French).stem(&prepared);
    stem.replace("He", "ë").replace("Hi", "ï").replace("Hû", "ï").replace('H', "")
}

//! What may be said of a headline: `MaxWords=20, StartSel="<em>"`.
//!
//! ```text
//! options = [name "=" value ("," name "=" value)*]
//! value   = "'" any character "'"  |  '"' any character '"'  |  characters without white space and ","
//! ```

use crate::search::Error;

/// How a headline looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The whole text is shown.
    pub(super) is_all: bool,
    /// Most words of a part.
    pub(super) most: usize,
    /// Fewest words of a part, if the text has as many.
    pub(super) fewest: usize,
    /// With words of so many bytes, or fewer, no part should end.
    pub(super) short: usize,
    /// Most parts; none: one, which is chosen otherwise.
    pub(super) fragments: usize,
    /// What stands before and behind a word of the query.
    pub(super) start: String,
    pub(super) stop: String,
    /// What stands between parts.
    pub(super) delimiter: String,
}

impl Options {
    /// Reads the options of Postgres; those that are not named are as usual.
    ///
    /// # Errors
    /// 42601 for what is no list, 22023 for options that there are not or that do not fit each other, 22P02 for no number.
    pub fn read(text: &str) -> Result<Self, Error> {
        let mut options = Self {
            is_all: false,
            most: 35,
            fewest: 15,
            short: 3,
            fragments: 0,
            start: "<b>".to_owned(),
            stop: "</b>".to_owned(),
            delimiter: " ... ".to_owned(),
        };
        let (mut most, mut fewest, mut short, mut fragments) = (35, 15, 3, 0);
        for (name, value) in list(text)? {
            match name.to_ascii_lowercase().as_str() {
                "maxwords" => most = number(&value)?,
                "minwords" => fewest = number(&value)?,
                "shortword" => short = number(&value)?,
                "maxfragments" => fragments = number(&value)?,
                "startsel" => options.start = value,
                "stopsel" => options.stop = value,
                "fragmentdelimiter" => options.delimiter = value,
                "highlightall" => {
                    let value = value.to_ascii_lowercase();
                    options.is_all = matches!(value.as_str(), "1" | "on" | "true" | "t" | "y" | "yes");
                }
                _ => return Err(Error::new("22023", format!("unrecognized headline parameter: \"{name}\""))),
            }
        }
        if !options.is_all {
            let refuse = |message: &str| Err(Error::new("22023", message));
            match () {
                () if fewest >= most => return refuse("MinWords should be less than MaxWords"),
                () if fewest <= 0 => return refuse("MinWords should be positive"),
                () if short < 0 => return refuse("ShortWord should be >= 0"),
                () if fragments < 0 => return refuse("MaxFragments should be >= 0"),
                () => {}
            }
        }
        let count = |of: i32| usize::try_from(of).unwrap_or_default();
        (options.most, options.fewest) = (count(most), count(fewest));
        (options.short, options.fragments) = (count(short), count(fragments));
        Ok(options)
    }

    /// Pieces that a part with the words of a query may have, before it is cut or lengthened.
    pub(super) fn longest_cover(&self) -> usize {
        self.most.saturating_mul(10).max(100).saturating_mul(self.fragments.max(1))
    }
}

fn number(text: &str) -> Result<i32, Error> {
    text.trim().parse().map_err(|_| Error::new("22P02", format!("invalid input syntax for type integer: \"{text}\"")))
}

fn list(text: &str) -> Result<Vec<(String, String)>, Error> {
    let mut rest = text.trim_start_matches(is_between);
    let mut found = Vec::new();
    while !rest.is_empty() {
        let read = entry(rest).ok_or_else(|| Error::new("42601", format!("invalid parameter list format: \"{text}\"")));
        let (name, value, behind) = read?;
        found.push((name, value));
        rest = behind.trim_start_matches(is_between);
    }
    Ok(found)
}

fn is_between(character: char) -> bool {
    character.is_whitespace() || character == ','
}

/// A name, a value, and what follows them.
fn entry(text: &str) -> Option<(String, String, &str)> {
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => {
            let end = text.find(|of: char| of.is_whitespace() || of == '=')?;
            text.starts_with(char::is_alphabetic).then(|| text.split_at(end))?
        }
    };
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let (value, rest) = match rest.chars().next()? {
        quote @ ('\'' | '"') => rest.get(1..)?.split_once(quote)?,
        _ => rest.split_at(rest.find(is_between).unwrap_or(rest.len())),
    };
    Some((name.to_owned(), value.to_owned(), rest))
}

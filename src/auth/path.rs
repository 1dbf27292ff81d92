//! Where in the claims the role stands: `$.role`, `$.realm_access.roles[0]`, `$['https://example.com/role']`,
//! `$.roles[?(@ == 'editor')]`.
//!
//! The part of `JSONPath` (RFC 9535) that names one value: members by dot or bracket, elements by index (negative from
//! the end), and the first element that passes a `filter`.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/auth.html#jwt-role-extraction>

mod filter;

use filter::Filter;

use serde_json::{Map, Value};
use thiserror::Error as ThisError;

/// A path with more steps than this is a mistake.
const MAX_STEPS: usize = 16;

/// A way into the claims.
#[derive(Debug, Clone)]
pub struct ClaimPath(Vec<Step>);

#[derive(Debug, Clone)]
enum Step {
    Member(String),
    Element(i64),
    /// The first element that passes.
    First(Filter),
}

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("\"{0}\" is not a path such as $.role or $['a key'][0]")]
pub struct Error(String);

impl ClaimPath {
    /// Reads a path. `PostgREST`'s older form `.role` is read as well.
    ///
    /// # Errors
    /// When the text is no path.
    ///
    /// # Example
    /// ```
    /// use berth::auth::ClaimPath;
    /// let claims = serde_json::json!({"app": {"roles": ["editor"]}});
    /// let path = ClaimPath::parse("$.app.roles[0]").unwrap();
    /// assert_eq!(path.find(claims.as_object().unwrap()).as_deref(), Some("editor"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fault = || Error(text.to_owned());
        let mut rest = text.trim().strip_prefix('$').unwrap_or(text.trim());
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if steps.len() == MAX_STEPS {
                return Err(fault());
            }
            let (step, tail) = next_step(rest).ok_or_else(fault)?;
            steps.push(step);
            rest = tail;
        }
        if steps.is_empty() { Err(fault()) } else { Ok(Self(steps)) }
    }

    /// The text found there; a value that is no text is given as JSON.
    #[must_use]
    pub fn find(&self, claims: &Map<String, Value>) -> Option<String> {
        let (first, rest) = self.0.split_first()?;
        let Step::Member(name) = first else { return None };
        let mut value = claims.get(name)?;
        for step in rest {
            value = match step {
                Step::Member(name) => value.get(name)?,
                Step::Element(index) => {
                    let elements = value.as_array()?;
                    let from_end = usize::try_from(index.unsigned_abs()).ok()?;
                    let position = if *index < 0 { elements.len().checked_sub(from_end)? } else { from_end };
                    elements.get(position)?
                }
                Step::First(filter) => value.as_array()?.iter().find(|element| filter.passes(element))?,
            };
        }
        value.as_str().map(str::to_owned).or_else(|| (!value.is_null()).then(|| value.to_string()))
    }

    /// Puts `role` there, so that [`ClaimPath::find`] finds it; what is in the way is replaced, and an element of a
    /// list becomes the list's only one.
    pub fn place(&self, claims: &mut Map<String, Value>, role: &str) {
        let Some((Step::Member(name), rest)) = self.0.split_first() else { return };
        let mut slot = claims.entry(name.as_str()).or_insert(Value::Null);
        for step in rest {
            match step {
                Step::Member(name) => {
                    if !slot.is_object() {
                        *slot = Value::Object(Map::new());
                    }
                    let Value::Object(members) = slot else { return };
                    slot = members.entry(name.as_str()).or_insert(Value::Null);
                }
                Step::Element(_) | Step::First(_) => {
                    *slot = Value::Array(vec![Value::Null]);
                    let Some(only) = slot.as_array_mut().and_then(|elements| elements.first_mut()) else { return };
                    slot = only;
                }
            }
        }
        *slot = Value::String(role.to_owned());
    }
}

/// What a name may have without quotes; more than RFC 9535 allows, and what providers use.
fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '$' | '@')
}

fn next_step(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (name, tail) = quoted.split_once('"')?;
            return Some((Step::Member(name.to_owned()), tail));
        }
        let end = rest.find(|letter: char| !is_of_name(letter)).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        return (!name.is_empty()).then(|| (Step::Member(name.to_owned()), tail));
    }
    let inner = text.strip_prefix('[')?;
    if let Some(filter) = inner.strip_prefix('?') {
        return Filter::parse(filter).map(|(filter, tail)| (Step::First(filter), tail));
    }
    for quote in ['\'', '"'] {
        if let Some(quoted) = inner.strip_prefix(quote) {
            let (name, tail) = quoted.split_once(quote)?;
            return Some((Step::Member(name.to_owned()), tail.strip_prefix(']')?));
        }
    }
    let (index, tail) = inner.split_once(']')?;
    Some((Step::Element(index.trim().parse().ok()?), tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str, claims: Value) -> Option<String> {
        ClaimPath::parse(path).unwrap().find(claims.as_object().unwrap())
    }

    #[test]
    fn members_and_elements_are_found() {
        let claims = serde_json::json!({"role": "web", "a b": {"list": ["x", "y"]}, "n": 7, "none": null});
        assert_eq!(find("$.role", claims.clone()).as_deref(), Some("web"));
        assert_eq!(find(".role", claims.clone()).as_deref(), Some("web"));
        assert_eq!(find("$['a b'].list[-1]", claims.clone()).as_deref(), Some("y"));
        assert_eq!(find("$.n", claims.clone()).as_deref(), Some("7"));
        assert_eq!(find("$.none", claims.clone()), None);
        assert_eq!(find("$['a b'].list[-3]", claims.clone()), None);
        assert_eq!(find("$.role.more", claims), None);
    }

    #[test]
    fn the_first_element_that_passes_is_found() {
        let claims = serde_json::json!({"roles": [{"role": "editor"}, 7, "other", "my editor", "editor", "editors"]});
        for (filter, found) in [
            ("[?(@ == 'editor')]", Some("editor")),
            ("[?@ == \"editor\"]", Some("editor")),
            ("[?( @=='editor' )]", Some("editor")),
            ("[?(@ != \"other\")]", Some("my editor")),
            ("[?(@ ^== \"edit\")]", Some("editor")),
            ("[?(@ ==^ \"s\")]", Some("editors")),
            ("[?(@ *== \"y e\")]", Some("my editor")),
            ("[?search(@, '^edit.*s$')]", Some("editors")),
            ("[?(search(@, 'edit'))]", Some("my editor")),
            ("[?(@ == 'nobody')]", None),
            ("[?(@ == '7')]", None),
        ] {
            for path in [format!("$.roles{filter}"), format!(".roles{filter}")] {
                assert_eq!(find(&path, claims.clone()).as_deref(), found, "{path}");
            }
        }
        assert_eq!(find("$.roles[?(@ == 'x')]", serde_json::json!({"roles": "x"})), None);
    }

    #[test]
    fn a_role_that_was_placed_is_found() {
        for path in ["$.role", "$.app.role", "$['https://x.test/a'].roles[0]", "$.roles[-1]", "$.roles[?(@ == 'web')]"]
        {
            let mut claims = serde_json::json!({"sub": "1", "app": 1}).as_object().unwrap().clone();
            let path = ClaimPath::parse(path).unwrap();
            path.place(&mut claims, "web");
            assert_eq!(path.find(&claims).as_deref(), Some("web"), "{path:?}");
            assert_eq!(claims["sub"], "1");
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "$",
            "$.",
            "$[",
            "$['a'",
            "$[x]",
            "role",
            "$..role",
            "@@.role.other",
            "$.my_role;;domain",
            ".role##",
            "1234",
            ".role[?(@ =)]",
            "$.a[?(@ == x)]",
            "$.a[?(@ == 'x']",
            "$.a[?@ == 'x')]",
            "$.a[?search(@, '(')]",
            "$.a[?search(@.b, 'x')]",
            "$.a[?(@ < 'x')]",
        ] {
            assert!(ClaimPath::parse(text).is_err(), "{text}");
        }
        assert!(ClaimPath::parse(&"[0]".repeat(17)).is_err());
    }
}

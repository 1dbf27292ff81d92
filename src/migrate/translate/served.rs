//! Functions that berth has under their own names: those of text, arrays and JSON.
//!
//! What they mean is in `store/sqlite/functions`.

use sqlparser::ast::{Expr, Function};

use super::function::arguments;
use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, name, refuse};
use crate::catalog::TypeKind;

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gives {
    Text,
    Integer,
    Boolean,
    Jsonb,
    /// What its first argument is.
    First,
    Texts,
}

/// PostgreSQL's name, how many arguments it takes, berth's name, what is said for arguments that are left out, and what it
/// gives.
type Served = (&'static str, std::ops::RangeInclusive<usize>, &'static str, &'static [&'static str], Gives);

const FUNCTIONS: [Served; 30] = [
    ("array_cat", 2..=2, "berth_array_join", &[], Gives::First),
    ("array_length", 2..=2, "berth_array_length", &[], Gives::Integer),
    ("ascii", 1..=1, "berth_ascii", &[], Gives::Integer),
    ("cardinality", 1..=1, "berth_cardinality", &[], Gives::Integer),
    ("chr", 1..=1, "berth_chr", &[], Gives::Text),
    ("initcap", 1..=1, "berth_initcap", &[], Gives::Text),
    ("jsonb_concat", 2..=2, "berth_json_join", &[], Gives::Jsonb),
    ("jsonb_exists", 2..=2, "berth_has_key", &[], Gives::Boolean),
    ("jsonb_pretty", 1..=1, "berth_json_pretty", &[], Gives::Text),
    ("jsonb_strip_nulls", 1..=1, "berth_json_strip_nulls", &[], Gives::Jsonb),
    ("left", 2..=2, "berth_left", &[], Gives::Text),
    ("lower", 1..=1, "berth_lower", &[], Gives::Text),
    ("lpad", 2..=3, "berth_lpad", &["' '"], Gives::Text),
    ("quote_literal", 1..=1, "berth_quote_literal", &[], Gives::Text),
    ("regexp_like", 2..=2, "berth_match", &[], Gives::Boolean),
    ("regexp_replace", 3..=4, "berth_replace_match", &["''"], Gives::Text),
    ("repeat", 2..=2, "berth_repeat", &[], Gives::Text),
    ("reverse", 1..=1, "berth_reverse", &[], Gives::Text),
    ("right", 2..=2, "berth_right", &[], Gives::Text),
    ("rpad", 2..=3, "berth_rpad", &["' '"], Gives::Text),
    ("split_part", 3..=3, "berth_split_part", &[], Gives::Text),
    ("starts_with", 2..=2, "berth_starts_with", &[], Gives::Boolean),
    ("string_to_array", 2..=2, "berth_string_to_array", &[], Gives::Texts),
    ("to_hex", 1..=1, "berth_to_hex", &[], Gives::Text),
    ("translate", 3..=3, "berth_translate", &[], Gives::Text),
    ("upper", 1..=1, "berth_upper", &[], Gives::Text),
    // With arguments that are read by what the others are.
    ("array_to_string", 2..=3, "", &[], Gives::Text),
    ("jsonb_set", 3..=4, "", &[], Gives::Jsonb),
    ("substr", 2..=3, "", &[], Gives::Text),
    ("substring", 2..=3, "", &[], Gives::Text),
];

/// Functions that take an array and an element: PostgreSQL's name, berth's, and the place of the array.
const OF_ELEMENTS: [(&str, &str, usize); 4] = [
    ("array_append", "berth_array_append", 0),
    ("array_position", "berth_array_position", 0),
    ("array_prepend", "berth_array_prepend", 1),
    ("array_remove", "berth_array_remove", 0),
];

impl Scope<'_> {
    /// Writes a call of a function that berth has; `None` for any other.
    pub(super) fn served_call(&self, name: &str, call: &Function) -> Result<Option<String>, Refusal> {
        let arguments = || -> Result<Vec<&Expr>, Refusal> {
            if call.filter.is_some() || call.over.is_some() || !call.within_group.is_empty() {
                return refuse(format!("the function {name}() is no aggregate"));
            }
            arguments(call)
        };
        if let Some((_, own, place)) = OF_ELEMENTS.iter().find(|(theirs, ..)| *theirs == name) {
            return self.of_elements(name, own, *place, &arguments()?).map(Some);
        }
        let Some((_, takes, own, defaults, _)) = FUNCTIONS.iter().find(|(theirs, ..)| *theirs == name) else {
            return self.path_call(name, call);
        };
        let arguments = arguments()?;
        if !takes.contains(&arguments.len()) {
            return refuse(format!("the function {name}() does not take {} arguments", arguments.len()));
        }
        Ok(Some(match (name, arguments.as_slice()) {
            ("substring" | "substr", [text, from, rest @ ..]) => self.substring(text, from, rest.first().copied())?,
            ("jsonb_set", [document, path, new, creates @ ..]) => {
                let jsonb = TypeKind::Jsonb;
                let texts = texts();
                let (document, path) = (self.write(document)?, self.as_constant_of(path, &texts)?);
                let new = self.as_constant_of(new, &jsonb)?;
                let creates = creates.first().map_or(Ok("1".to_owned()), |creates| self.write(creates))?;
                format!("berth_json_set({document}, {path}, {new}, {creates})")
            }
            ("array_to_string", [array, separator, null @ ..]) => {
                let element = self.element_of(name, array)?;
                let null = null.first().map_or(Ok("NULL".to_owned()), |null| self.write(null))?;
                let (array, separator) = (self.write(array)?, self.write(separator)?);
                format!("berth_array_to_string({array}, {separator}, {null}, {})", name::text(&element.postgres_name()))
            }
            (_, arguments) => {
                let mut written = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    written.push(self.write(argument)?);
                }
                let missing = takes.end() - written.len();
                written.extend(defaults.iter().rev().take(missing).rev().map(|default| (*default).to_owned()));
                format!("{own}({})", written.join(", "))
            }
        }))
    }

    /// What such a function gives.
    pub(super) fn kind_of_served(&self, name: &str, call: &Function) -> Option<TypeKind> {
        let arguments = arguments(call).ok()?;
        if let Some((_, _, place)) = OF_ELEMENTS.iter().find(|(theirs, ..)| *theirs == name) {
            let is_position = name == "array_position";
            return if is_position { Some(TypeKind::Integer) } else { self.kind(arguments.get(*place)?) };
        }
        let (.., gives) = FUNCTIONS.iter().find(|(theirs, ..)| *theirs == name)?;
        Some(match gives {
            Gives::Text => TypeKind::Text { max_length: None },
            Gives::Integer => TypeKind::Integer,
            Gives::Boolean => TypeKind::Boolean,
            Gives::Jsonb => TypeKind::Jsonb,
            Gives::Texts => texts(),
            Gives::First => self.kind(arguments.first()?)?,
        })
    }

    /// `substring(text FROM from FOR length)`; with a pattern it is what fits that.
    pub(super) fn substring(&self, text: &Expr, from: &Expr, length: Option<&Expr>) -> Result<String, Refusal> {
        let is_pattern = self.is_pattern(from)?;
        let (text, from) = (self.write(text)?, self.write(from)?);
        Ok(match length {
            None if is_pattern => format!("berth_match_text({text}, {from})"),
            None => format!("berth_substring({text}, {from})"),
            Some(_) if is_pattern => return refuse("SIMILAR patterns are not supported"),
            Some(length) => format!("berth_substring({text}, {from}, {})", self.write(length)?),
        })
    }

    fn is_pattern(&self, from: &Expr) -> Result<bool, Refusal> {
        let is_text = matches!(self.kind(from), Some(TypeKind::Text { .. }));
        Ok(is_text || matches!(self.constant(from)?, Some(Literal::Text(_))))
    }

    fn of_elements(&self, name: &str, own: &str, place: usize, arguments: &[&Expr]) -> Result<String, Refusal> {
        let [first, second] = arguments else { return refuse(format!("the function {name}() takes two arguments")) };
        let (array, element) = if place == 0 { (first, second) } else { (second, first) };
        let of = self.element_of(name, array)?;
        let (array, element) = (self.write(array)?, self.as_constant_of(element, &of)?);
        Ok(format!("{own}({array}, {element}, {})", name::text(&of.postgres_name())))
    }

    /// The kind of an array's elements.
    fn element_of(&self, name: &str, array: &Expr) -> Result<TypeKind, Refusal> {
        match self.kind(array) {
            Some(TypeKind::Array(element)) => Ok(*element),
            _ => refuse(format!("the type of the array that {name}() takes cannot be told: cast it")),
        }
    }

    /// `jsonb_extract_path(document, step, …)`.
    fn path_call(&self, name: &str, call: &Function) -> Result<Option<String>, Refusal> {
        let function = match name {
            "json_extract_path" | "jsonb_extract_path" => "berth_json_at",
            "json_extract_path_text" | "jsonb_extract_path_text" => "berth_json_text_at",
            _ => return Ok(None),
        };
        let arguments = arguments(call)?;
        let Some((document, steps)) = arguments.split_first() else {
            return refuse(format!("the function {name}() takes a document"));
        };
        let steps: Result<Vec<_>, _> = steps.iter().map(|step| self.write(step)).collect();
        Ok(Some(format!("{function}({}, json_array({}))", self.write(document)?, steps?.join(", "))))
    }
}

/// The kind of an array of texts.
pub(super) fn texts() -> TypeKind {
    TypeKind::Array(Box::new(TypeKind::Text { max_length: None }))
}

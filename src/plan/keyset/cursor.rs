//! Cursors: what a row has in the terms of an order, as one word.
//!
//! ```text
//! cursor = base64url( "[" signature *( "," value ) "]" )      ; JSON, without padding
//! value  = null / string                                     ; as Postgres prints it
//!        / { "i": string } / { "r": string } / { "t": string } / { "b": hexadecimal }
//! ```
//!
//! The signature is of the order, so that a cursor of another one is refused instead of leading astray. The values are
//! the same on both engines; the objects stand for what SQLite keeps in a column although it is no value of its type (an
//! integer, a float, a text, bytes). Nothing is secret in a cursor and nothing depends on its being true.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::catalog::{TypeKind, TypeName};
use crate::plan::{Engine, Error, Order, ReadNode, Target, Value, value};
use crate::request::order::{Direction, Nulls};

/// Longest cursor, in bytes: it must fit into headers, of which clients take some 8 KiB.
pub const CURSOR_MAX_BYTES: usize = 6 * 1024;

/// Bytes of the hash that are kept.
const SIGNATURE_BYTES: usize = 6;

/// What tells the order of a read from others.
pub(super) fn signature(node: &ReadNode) -> String {
    let mut text = node.from.to_string();
    for Order { target: Target { column, path, .. }, direction, nulls, related } in &node.order {
        let related = related.as_ref().map(|related| related.relationship.target.to_string()).unwrap_or_default();
        let way = match direction {
            Direction::Ascending => "asc",
            Direction::Descending => "desc",
        };
        let nulls = match nulls {
            Nulls::First => "first",
            Nulls::Last => "last",
        };
        // Writing to a text cannot fail.
        let _ = write!(text, "\0{related}\0{column}\0{path:?}\0{way}\0{nulls}");
    }
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    URL_SAFE_NO_PAD.encode(hash.get(..SIGNATURE_BYTES).unwrap_or_default())
}

/// Writes a cursor; `None` when it would be too long. `values`: one for each term of the order.
#[must_use]
pub fn write(signature: &str, values: &[Json]) -> Option<String> {
    let items: Json = std::iter::once(json!(signature)).chain(values.iter().cloned()).collect();
    let cursor = URL_SAFE_NO_PAD.encode(items.to_string());
    (cursor.len() <= CURSOR_MAX_BYTES).then_some(cursor)
}

/// A value of SQLite as a cursor has it: as Postgres prints it where that is read as the same value again. `printed`: the
/// value as Postgres would print one of the type.
#[must_use]
pub fn of_stored(stored: &Value, printed: Option<String>, type_name: &TypeName) -> Json {
    // As text these two are not what they are printed as.
    let printed = match (stored, printed) {
        (Value::Integer(0 | 1), _) if type_name.kind == TypeKind::Boolean => {
            Some((*stored == Value::Integer(1)).to_string())
        }
        (_, Some(printed)) if type_name.is_blank_padded() => Some(printed.trim_end_matches(' ').to_owned()),
        (_, printed) => printed,
    };
    match (stored, printed) {
        (Value::Null, _) => Json::Null,
        (stored, Some(printed)) if value::coerce(&printed, type_name).as_ref() == Ok(stored) => Json::String(printed),
        (Value::Integer(integer), _) => json!({ "i": integer.to_string() }),
        (Value::Real(real), _) => json!({ "r": real.to_string() }),
        (Value::Text(text), _) => json!({ "t": text }),
        (Value::Blob(bytes), _) => {
            json!({ "b": bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")) })
        }
    }
}

/// Reads a cursor of the order with that signature.
///
/// # Errors
/// [`Error::Keyset`] when it is none.
pub(super) fn read(cursor: &str, signature: &str, order: &[Order], engine: Engine) -> Result<Vec<Value>, Error> {
    let broken = || Error::Keyset("the cursor is none that was given for this order of this table".to_owned());
    if cursor.len() > CURSOR_MAX_BYTES {
        return Err(broken());
    }
    let decoded = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| broken())?;
    let Ok(Json::Array(items)) = serde_json::from_slice(&decoded) else { return Err(broken()) };
    let Some((Json::String(signed), values)) = items.split_first() else { return Err(broken()) };
    if signed != signature || values.len() != order.len() {
        return Err(broken());
    }
    values.iter().zip(order).map(|(value, term)| read_value(value, term, engine).ok_or_else(broken)).collect()
}

fn read_value(json: &Json, term: &Order, engine: Engine) -> Option<Value> {
    match (json, engine) {
        (Json::Null, _) => Some(Value::Null),
        (Json::String(text), _) if text.contains('\0') => None,
        (Json::String(text), Engine::Postgres) => Some(Value::Text(text.clone())),
        (Json::String(text), Engine::Sqlite) => value::coerce(text, &term.target.compared_type()).ok(),
        (Json::Object(members), Engine::Sqlite) if members.len() == 1 => {
            let (kind, text) = members.iter().next()?;
            let text = text.as_str()?;
            match kind.as_str() {
                "i" => text.parse().ok().map(Value::Integer),
                "r" => text.parse().ok().map(Value::Real),
                "t" => Some(Value::Text(text.to_owned())),
                "b" => bytes(text).map(Value::Blob),
                _ => None,
            }
        }
        (Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_), _) => None,
    }
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits = hexadecimal.as_bytes();
    if digits.len() % 2 == 1 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let pairs = digits.chunks_exact(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn term(kind: TypeKind) -> Order {
        Order {
            target: Target::column("c", TypeName { declared: kind.postgres_name(), kind }),
            direction: Direction::Ascending,
            nulls: Nulls::Last,
            related: None,
        }
    }

    fn any_stored() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>().prop_filter("SQLite has no NaN", |real| !real.is_nan()).prop_map(Value::Real),
            "[^\0]{0,9}".prop_map(Value::Text),
            prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::Blob),
        ]
    }

    proptest! {
        /// Whatever SQLite keeps in a column, its place is found again, also when it is none of the column's type.
        #[test]
        fn what_is_stored_comes_back(stored in any_stored(), printed in "[^\0]{0,5}", honest in any::<bool>()) {
            for kind in [TypeKind::Integer, TypeKind::Double, TypeKind::Boolean, TypeKind::Date, TypeKind::Any] {
                let order = [term(kind)];
                let honest = if let (Value::Text(text), true) = (&stored, honest) { Some(text.clone()) } else { None };
                let printed = honest.unwrap_or_else(|| printed.clone());
                let value = of_stored(&stored, Some(printed), &order[0].target.type_name);
                let cursor = write("signed", &[value]).unwrap();
                prop_assert_eq!(read(&cursor, "signed", &order, Engine::Sqlite), Ok(vec![stored.clone()]));
            }
        }

        #[test]
        fn no_cursor_panics(cursor in ".*", bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let order = [term(TypeKind::Integer)];
            for engine in [Engine::Sqlite, Engine::Postgres] {
                for cursor in [cursor.as_str(), &URL_SAFE_NO_PAD.encode(&bytes)] {
                    let _ = read(cursor, "signed", &order, engine);
                }
            }
        }
    }

    #[test]
    fn a_cursor_is_of_one_order() {
        let order = [term(TypeKind::Integer)];
        let cursor = write("signed", &[Json::from("7")]).unwrap();
        assert_eq!(read(&cursor, "signed", &order, Engine::Sqlite), Ok(vec![Value::Integer(7)]));
        assert_eq!(read(&cursor, "signed", &order, Engine::Postgres), Ok(vec![Value::Text("7".to_owned())]));
        for (cursor, signature) in [
            (cursor.clone(), "other"),
            (write("signed", &[]).unwrap(), "signed"),
            (write("signed", &[Json::from("7"), Json::Null]).unwrap(), "signed"),
            (write("signed", &[Json::from("x")]).unwrap(), "signed"),
            (write("signed", &[Json::from(7)]).unwrap(), "signed"),
            (write("signed", &[json!({"b": "0"})]).unwrap(), "signed"),
            (write("signed", &[json!({"i": "1", "t": "1"})]).unwrap(), "signed"),
        ] {
            assert!(matches!(read(&cursor, signature, &order, Engine::Sqlite), Err(Error::Keyset(_))), "{cursor}");
        }
        assert_eq!(write("signed", &["x".repeat(CURSOR_MAX_BYTES).into()]), None);
    }
}

//! From an error's code to the status and the challenge that its client gets.
//!
//! A function of the code alone wherever that is enough, so that it holds for every store.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/errors.html>

/// Who gets the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// They act as anyone may who comes without a token: more may be allowed with one.
    Anonymous,
    /// They act as a role of their own.
    Authenticated,
}

/// The HTTP status of an error: `code` is `PostgREST`'s, berth's, or an SQLSTATE.
///
/// Three codes need the `message` too, because the database uses them for more than one thing.
#[must_use]
pub fn status_of(code: &str, message: &str, caller: Caller) -> u16 {
    if let Some(number) = code.strip_prefix("PGRST") {
        return of_postgrest(number);
    }
    if let Some(number) = code.strip_prefix("BERTH") {
        return spoken_status(number);
    }
    of_sqlstate(code, message, caller)
}

/// The value of `WWW-Authenticate`, for answers with status 401.
#[must_use]
pub fn challenge_of(code: &str, message: &str, caller: Caller) -> Option<String> {
    if status_of(code, message, caller) != 401 {
        return None;
    }
    match code {
        "PGRST301" | "PGRST303" => {
            let description = message.replace('\\', "\\\\").replace('"', "\\\"");
            Some(format!("Bearer error=\"invalid_token\", error_description=\"{description}\""))
        }
        _ => Some("Bearer".to_owned()),
    }
}

fn of_postgrest(number: &str) -> u16 {
    match number {
        "000" | "001" | "002" => 503,
        "003" => 504,
        "101" | "105" | "117" => 405,
        "103" => 416,
        "106" | "107" | "116" => 406,
        "125" | "126" | "202" | "205" => 404,
        "201" | "203" => 300,
        "301" | "302" | "303" => 401,
        "111" | "112" | "121" | "300" | "X00" => 500,
        "100" | "102" | "108" | "114" | "115" | "118" | "120" | "122" | "123" | "124" | "127" | "128" | "200"
        | "204" => 400,
        // A code nobody declared is a fault of this program.
        _ => 500,
    }
}

fn of_sqlstate(code: &str, message: &str, caller: Caller) -> u16 {
    match code {
        "23503" | "23505" => return 409,
        "25006" => return 405,
        "21000" => return if message.ends_with("requires a WHERE clause") { 400 } else { 500 },
        "22023" => {
            let is_unknown_role = message.starts_with("role") && message.ends_with("does not exist");
            return if is_unknown_role { 401 } else { 400 };
        }
        "53400" => return 500,
        // 40003: nobody knows whether the write was done. No server says so; berth does.
        "57P01" | "57P02" | "57P03" | "40003" => return 503,
        "P0001" => return 400,
        "42883" => return if message.starts_with("function xmlagg(") { 406 } else { 404 },
        "42P01" => return 404,
        "42P17" => return 500,
        "42501" => return if caller == Caller::Authenticated { 403 } else { 401 },
        _ => {}
    }
    match code.get(..2) {
        Some("08" | "53") => 503,
        Some("0L" | "0P" | "28") => 403,
        Some(
            "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "54" | "55" | "57" | "58" | "F0" | "HV" | "P0" | "XX",
        ) => 500,
        Some("PT") => code.get(2..).map_or(500, spoken_status),
        _ => 400,
    }
}

/// The status that an error names itself, as in `RAISE SQLSTATE 'PT402'`; 500 when it is none that ends a request.
fn spoken_status(digits: &str) -> u16 {
    digits.parse().ok().filter(|status| is_final(*status)).unwrap_or(500)
}

/// True for a status that ends a request.
pub(super) fn is_final(status: u16) -> bool {
    (200..600).contains(&status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_postgrests_status() {
        let table: [(u16, &[&str]); 12] = [
            (300, &["PGRST201", "PGRST203"]),
            (400, &["PGRST100", "PGRST102", "PGRST108", "PGRST114", "PGRST115", "PGRST118", "PGRST120", "PGRST122"]),
            (400, &["PGRST123", "PGRST124", "PGRST127", "PGRST128", "PGRST200", "PGRST204", "22P02", "23502", "23514"]),
            (401, &["PGRST301", "PGRST302", "PGRST303"]),
            (403, &["0LP01", "0P000", "28000"]),
            (404, &["PGRST125", "PGRST126", "PGRST202", "PGRST205", "42P01", "42883"]),
            (405, &["PGRST101", "PGRST105", "PGRST117", "25006", "BERTH405"]),
            (406, &["PGRST106", "PGRST107", "PGRST116"]),
            (409, &["23503", "23505"]),
            (416, &["PGRST103"]),
            (
                500,
                &[
                    "PGRST111", "PGRST112", "PGRST121", "PGRST300", "PGRSTX00", "53400", "57014", "XX000", "25001",
                    "42P17",
                ],
            ),
            (503, &["PGRST000", "PGRST001", "PGRST002", "08006", "40003", "53300", "57P01", "BERTH503"]),
        ];
        for (status, codes) in table {
            for code in codes {
                assert_eq!(status_of(code, "", Caller::Authenticated), status, "{code}");
            }
        }
        assert_eq!(status_of("PGRST003", "", Caller::Anonymous), 504);
        assert_eq!(status_of("P0001", "", Caller::Anonymous), 400);
    }

    #[test]
    fn a_missing_privilege_may_come_with_a_token() {
        assert_eq!(status_of("42501", "", Caller::Anonymous), 401);
        assert_eq!(status_of("42501", "", Caller::Authenticated), 403);
    }

    #[test]
    fn messages_tell_apart_what_a_code_does_not() {
        let of = |code, message| status_of(code, message, Caller::Authenticated);
        assert_eq!(of("21000", "UPDATE requires a WHERE clause"), 400);
        assert_eq!(of("21000", "more than one row returned by a subquery"), 500);
        assert_eq!(of("22023", "role \"nobody\" does not exist"), 401);
        assert_eq!(of("22023", "bad argument"), 400);
        assert_eq!(of("42883", "function xmlagg(text) does not exist"), 406);
    }

    #[test]
    fn sql_may_name_a_status() {
        let of = |code| status_of(code, "", Caller::Anonymous);
        assert_eq!(of("PT402"), 402);
        for made_up in ["PT100", "PT999", "PTabc", "PT", "BERTH1", "PGRST999"] {
            assert_eq!(of(made_up), 500, "{made_up}");
        }
    }

    #[test]
    fn odd_codes_are_client_errors_and_no_panic() {
        for code in ["", "é", "1", "ééé"] {
            assert_eq!(status_of(code, "", Caller::Anonymous), 400, "{code}");
        }
    }

    #[test]
    fn a_401_says_what_to_bring() {
        let of = |code, message, caller| challenge_of(code, message, caller);
        assert_eq!(
            of("PGRST303", "JWT \"x\" expired", Caller::Anonymous).as_deref(),
            Some("Bearer error=\"invalid_token\", error_description=\"JWT \\\"x\\\" expired\"")
        );
        assert_eq!(of("PGRST302", "", Caller::Anonymous).as_deref(), Some("Bearer"));
        assert_eq!(of("42501", "", Caller::Anonymous).as_deref(), Some("Bearer"));
        assert_eq!(of("42501", "", Caller::Authenticated), None);
        assert_eq!(of("PGRST300", "", Caller::Anonymous), None);
    }
}

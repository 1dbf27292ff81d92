//! Where a request says who asks: `Authorization: Bearer`, or the `apikey` header that supabase-js sends.

use super::error::Error;

/// What a request brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential<'a> {
    /// Nothing.
    Nothing,
    /// Behind `Authorization: Bearer`.
    Bearer(&'a str),
    /// The value of `apikey`.
    ApiKey(&'a str),
}

/// Finds the credential; `Authorization` wins, because supabase-js sends the project's key as `apikey` and the user's
/// token as `Authorization`.
///
/// # Errors
/// [`Error::Decode`] when `Authorization` came more than once: two readers might take different ones.
pub(super) fn find(headers: &[(String, String)]) -> Result<Credential<'_>, Error> {
    let values = |wanted: &'static str| {
        headers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let mut authorizations = values("authorization");
    let first = authorizations.next();
    if authorizations.next().is_some() {
        return Err(Error::Decode { message: "More than one Authorization header was sent".into(), details: None });
    }
    if let Some(token) = first.and_then(bearer_token) {
        return Ok(Credential::Bearer(token));
    }
    Ok(values("apikey").find(|value| !value.is_empty()).map_or(Credential::Nothing, Credential::ApiKey))
}

/// The token behind `Bearer`, in any case (RFC 9110, section 11.1).
fn bearer_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn authorization_wins_over_the_api_key() {
        for (sent, found) in [
            (vec![], Credential::Nothing),
            (vec![("authorization", "bearer  a.b.c ")], Credential::Bearer("a.b.c")),
            (vec![("authorization", "Bearer")], Credential::Bearer("")),
            (vec![("authorization", "Basic eDp5")], Credential::Nothing),
            (vec![("apikey", "k"), ("authorization", "Bearer t")], Credential::Bearer("t")),
            (vec![("apikey", "k"), ("authorization", "Basic eDp5")], Credential::ApiKey("k")),
            (vec![("apikey", " ")], Credential::Nothing),
        ] {
            assert_eq!(find(&headers(&sent)).unwrap(), found, "{sent:?}");
        }
    }

    #[test]
    fn two_authorizations_are_none() {
        assert!(find(&headers(&[("authorization", "Bearer a"), ("authorization", "Bearer a")])).is_err());
    }
}

//! Who is asking: from a token to a role and its claims.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/auth.html>

pub mod error;
pub mod key;
pub mod path;
pub mod token;

pub use error::Error;
pub use key::Keys;
pub use path::ClaimPath;

/// Who asks and what the token says of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The role that grants and policies are looked up by.
    pub role: String,
    /// The token's claims as a JSON object; only the role when there was no token.
    pub claims: String,
    /// A token was presented and verified.
    pub authenticated: bool,
}

impl Identity {
    /// Whoever comes without a token.
    #[must_use]
    pub fn anonymous(role: &str) -> Self {
        let claims = serde_json::json!({ "role": role }).to_string();
        Self { role: role.to_owned(), claims, authenticated: false }
    }
}

/// Verifies tokens and tells who asks.
#[derive(Debug)]
pub struct Authenticator {
    /// The role of a request without a token; without one such requests are refused.
    pub anonymous: Option<Identity>,
    /// What tokens are verified with; without keys every token is refused.
    pub keys: Option<Keys>,
    /// The audience a token must be meant for, when it names one.
    pub audience: Option<String>,
    /// Where in the claims the role stands.
    pub role_claim: ClaimPath,
}

impl Authenticator {
    /// Tells who asks. `authorization`: the header's value as sent, e.g. `Bearer eyJ…`.
    ///
    /// # Errors
    /// [`Error::TokenRequired`] without a token when nobody may come without one; otherwise what is wrong with the
    /// token.
    pub fn identify(&self, authorization: Option<&str>) -> Result<Identity, Error> {
        let Some(token) = authorization.and_then(bearer_token) else {
            return self.anonymous.clone().ok_or(Error::TokenRequired);
        };
        let keys = self.keys.as_ref().ok_or(Error::NoSecret)?;
        let mut claims = token::verify(token, keys)?;
        token::check_claims(&claims, self.audience.as_deref(), crate::clock::unix_seconds())?;
        let role = match (self.role_claim.find(&claims), &self.anonymous) {
            (Some(role), _) => role,
            (None, Some(anonymous)) => anonymous.role.clone(),
            (None, None) => return Err(Error::TokenRequired),
        };
        // Row policies read the role from the claims: it must be there even when the token left it out.
        claims.entry("role").or_insert_with(|| role.clone().into());
        Ok(Identity { role, claims: serde_json::Value::Object(claims).to_string(), authenticated: true })
    }
}

/// The token behind `Bearer`, in any case (RFC 9110, section 11.1).
fn bearer_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

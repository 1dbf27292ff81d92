//! Who is asking: from a token to a role and its claims.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/auth.html>

pub mod cache;
mod credential;
pub mod error;
pub mod key;
pub mod mint;
pub mod path;
mod subject;
pub mod token;

use credential::Credential;

pub use cache::TokenCache;
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
    /// Tokens that were verified already.
    pub cache: TokenCache,
}

impl Authenticator {
    /// Tells who asks, by the request's `headers`: `Authorization: Bearer`, else `apikey`.
    ///
    /// Without keys the `apikey` header says nothing, as it does to `PostgREST`.
    ///
    /// # Errors
    /// [`Error::TokenRequired`] without a token when nobody may come without one; otherwise what is wrong with the
    /// token.
    pub fn identify(&self, headers: &[(String, String)]) -> Result<Identity, Error> {
        match (credential::find(headers)?, &self.keys) {
            (Credential::Nothing, _) | (Credential::ApiKey(_), None) => {
                self.anonymous.clone().ok_or(Error::TokenRequired)
            }
            (Credential::Bearer(_), None) => Err(Error::NoSecret),
            (Credential::Bearer(token) | Credential::ApiKey(token), Some(keys)) => {
                self.identify_token(token, keys, crate::clock::unix_seconds())
            }
        }
    }

    fn identify_token(&self, token: &str, keys: &Keys, now: i64) -> Result<Identity, Error> {
        if let Some(identity) = self.cache.find(token, now) {
            return Ok(identity);
        }
        let mut claims = token::verify(token, keys)?;
        token::check_claims(&claims, self.audience.as_deref(), now)?;
        let role = match (self.role_claim.find(&claims), &self.anonymous) {
            (Some(role), _) => role,
            (None, Some(anonymous)) => anonymous.role.clone(),
            (None, None) => return Err(Error::TokenRequired),
        };
        let expires = token::seconds(&claims, "exp")?;
        // Row policies read the role from the claims: it must be there even when the token left it out.
        claims.entry("role").or_insert_with(|| role.clone().into());
        let claims = serde_json::Value::Object(claims).to_string();
        let identity = Identity { role, claims, authenticated: true };
        self.cache.remember(token, &identity, expires);
        Ok(identity)
    }
}

//! Who is asking: from a token to a role and its claims.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/auth.html>

pub mod api_key;
pub mod cache;
mod credential;
pub mod error;
mod fetch;
pub mod key;
pub mod mint;
pub mod path;
pub mod rate;
pub mod remote;
mod subject;
pub mod token;

use credential::Credential;

pub use api_key::ApiKeys;
pub use cache::TokenCache;
pub use error::Error;
pub use key::Keys;
pub use path::ClaimPath;
pub use rate::RateLimits;
pub use remote::RemoteKeys;
use remote::Renewal;

/// The generation of keys that never change.
const FIXED_KEYS: u64 = 0;

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

/// What tokens are verified with.
#[derive(Debug)]
pub enum KeyRing {
    /// Nothing: every token is refused.
    Empty,
    /// Keys of the configuration.
    Fixed(Keys),
    /// Keys at an address, and those of the configuration.
    Remote(RemoteKeys),
}

/// Verifies tokens and tells who asks.
#[derive(Debug)]
pub struct Authenticator {
    /// The role of a request without a token; without one such requests are refused.
    pub anonymous: Option<Identity>,
    /// What tokens are verified with; without keys every token is refused.
    pub keys: KeyRing,
    /// Keys of machine clients, which are taken where tokens are.
    pub api_keys: Option<ApiKeys>,
    /// The audience a token must be meant for, when it names one.
    pub audience: Option<String>,
    /// Where in the claims the role stands.
    pub role_claim: ClaimPath,
    /// Tokens that were verified already.
    pub cache: TokenCache,
    /// How often someone may ask.
    pub limits: RateLimits,
}

impl Authenticator {
    /// Tells who asks, by the request's `headers`: `Authorization: Bearer`, else `apikey`.
    ///
    /// Without keys of either kind the `apikey` header says nothing, as it does to `PostgREST`.
    ///
    /// # Errors
    /// [`Error::TokenRequired`] without a token when nobody may come without one; [`Error::KeysUnavailable`] when keys
    /// are at an address that does not answer; [`Error::TooManyRequests`]; otherwise what is wrong with the token.
    pub async fn identify(&self, headers: &[(String, String)]) -> Result<Identity, Error> {
        let knows_keys = self.api_keys.is_some() || !matches!(self.keys, KeyRing::Empty);
        let token = match credential::find(headers)? {
            Credential::Bearer(token) => Some(token),
            Credential::ApiKey(token) => Some(token).filter(|_| knows_keys),
            Credential::Nothing => None,
        };
        let Some(token) = token else {
            let anonymous = self.anonymous.clone().ok_or(Error::TokenRequired)?;
            self.limits.admit(&anonymous, None, 1)?;
            return Ok(anonymous);
        };
        let now = crate::clock::unix_seconds();
        if let Some((identity, rate)) = self.api_keys.as_ref().and_then(|keys| keys.find(token, now)) {
            self.limits.admit(&identity, rate, 1)?;
            return Ok(identity);
        }
        let identity = self.identify_by_token(token, now).await?;
        self.limits.admit(&identity, None, 1)?;
        Ok(identity)
    }

    /// Counts more requests of whoever was identified by the same `headers`: those that came in one.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub fn admit_more(&self, headers: &[(String, String)], identity: &Identity, requests: u32) -> Result<(), Error> {
        let own = match credential::find(headers)? {
            Credential::Bearer(token) | Credential::ApiKey(token) => {
                let found = self.api_keys.as_ref().and_then(|keys| keys.find(token, crate::clock::unix_seconds()));
                found.and_then(|(_, rate)| rate)
            }
            Credential::Nothing => None,
        };
        self.limits.admit(identity, own, requests)
    }

    async fn identify_by_token(&self, token: &str, now: i64) -> Result<Identity, Error> {
        match &self.keys {
            KeyRing::Empty if self.api_keys.is_some() => self.identify_token(token, &Keys::none(), FIXED_KEYS, now),
            KeyRing::Empty => Err(Error::NoSecret),
            KeyRing::Fixed(keys) => self.identify_token(token, keys, FIXED_KEYS, now),
            KeyRing::Remote(keys) => self.identify_remotely(token, keys, now).await,
        }
    }

    /// True when someone may do what anyone may who comes without a token: a token may bring no more.
    #[must_use]
    pub fn is_anonymous(&self, identity: &Identity) -> bool {
        self.anonymous.as_ref().is_some_and(|anonymous| anonymous.role == identity.role)
    }

    /// Reads anew what may be read anew: the file of API keys.
    pub fn reload(&self) {
        if let Some(keys) = &self.api_keys {
            keys.reload();
        }
    }

    /// Says whether tokens can be verified now.
    ///
    /// # Errors
    /// What is missing, for the log.
    pub async fn is_ready(&self) -> Result<(), String> {
        match &self.keys {
            KeyRing::Remote(keys) if !keys.is_ready().await => Err("no keys could be fetched from JWKS_URL".to_owned()),
            KeyRing::Empty | KeyRing::Fixed(_) | KeyRing::Remote(_) => Ok(()),
        }
    }

    /// Asks for newer keys, once, when those at hand may be too old for the token.
    async fn identify_remotely(&self, token: &str, remote: &RemoteKeys, now: i64) -> Result<Identity, Error> {
        let set = remote.fresh(now).await;
        let refused = match self.identify_token(token, &set.keys, set.generation, now) {
            Err(error @ Error::Decode { .. }) if token::may_have_newer_key(token, &set.keys) => error,
            answer => return answer,
        };
        let renewal = remote.renew(now).await;
        let newer = remote.current();
        match renewal {
            _ if newer.generation != set.generation => self.identify_token(token, &newer.keys, newer.generation, now),
            Renewal::Done => Err(refused),
            Renewal::Failed => Err(Error::KeysUnavailable),
        }
    }

    fn identify_token(&self, token: &str, keys: &Keys, generation: u64, now: i64) -> Result<Identity, Error> {
        if let Some(identity) = self.cache.find(token, generation, now) {
            return Ok(identity);
        }
        let mut claims = token::verify(token, keys)?;
        token::check_claims(&claims, self.audience.as_deref(), now)?;
        let role = match (self.role_claim.find(&claims), &self.anonymous) {
            (Some(role), _) => role,
            (None, Some(anonymous)) => anonymous.role.clone(),
            (None, None) => return Err(Error::TokenRequired),
        };
        if is_nobody(&role) {
            return Err(Error::Claims(format!("The JWT role claim \"{role}\" is no role")));
        }
        let expires = token::seconds(&claims, "exp")?;
        // Row policies read the role from the claims: the one that was picked must be there, wherever the token has it.
        claims.insert("role".to_owned(), role.clone().into());
        let claims = serde_json::Value::Object(claims).to_string();
        let identity = Identity { role, claims, authenticated: true };
        self.cache.remember(token, &identity, generation, expires);
        Ok(identity)
    }
}

/// True for what Postgres takes for the connection's own user when it is asked to act as that role.
fn is_nobody(role: &str) -> bool {
    matches!(role, "" | "none")
}

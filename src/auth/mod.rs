//! Who is asking: from a token to a role and its claims.

/// Who asks and what the token says of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The role that grants and policies are looked up by.
    pub role: String,
    /// The token's claims as a JSON object; `{}`-like with only the role when there was no token.
    pub claims: String,
    /// A token was presented and verified.
    pub authenticated: bool,
}

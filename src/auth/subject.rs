//! Who a sender is, whichever of their tokens they use.

use super::Identity;

/// Claims that differ between two tokens of one sender.
const OF_THE_TOKEN: [&str; 4] = ["exp", "iat", "jti", "nbf"];

impl Identity {
    /// Names the sender: the claim `sub`, else all claims but those of the token itself.
    #[must_use]
    pub fn subject(&self) -> String {
        let Ok(serde_json::Value::Object(mut claims)) = serde_json::from_str(&self.claims) else {
            return self.claims.clone();
        };
        if let Some(subject) = claims.get("sub").and_then(serde_json::Value::as_str) {
            return format!("sub {subject}");
        }
        claims.retain(|name, _| !OF_THE_TOKEN.contains(&name.as_str()));
        serde_json::Value::Object(claims).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(claims: &str) -> String {
        Identity { role: "user".to_owned(), claims: claims.to_owned(), authenticated: true }.subject()
    }

    #[test]
    fn two_tokens_of_one_sender_name_the_same_subject() {
        assert_eq!(subject(r#"{"sub":"a","exp":1,"session":1}"#), subject(r#"{"sub":"a","exp":2,"session":2}"#));
        assert_eq!(subject(r#"{"email":"a","exp":1}"#), subject(r#"{"email":"a","exp":2,"iat":3}"#));
    }

    #[test]
    fn different_senders_have_different_subjects() {
        assert_ne!(subject(r#"{"sub":"a"}"#), subject(r#"{"sub":"b"}"#));
        assert_ne!(subject(r#"{"email":"a"}"#), subject(r#"{"email":"b"}"#));
    }
}

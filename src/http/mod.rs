//! The socket side: actix requests to `request::Raw`, `Reply` to actix responses.

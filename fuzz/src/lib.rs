//! What the targets share.
//!
//! [`message`] reads a request out of an input, [`world`] makes the database that it is held against, [`text`] looks at
//! the SQL that it became.

pub mod message;
pub mod text;
pub mod world;

//! Translations, as text and as what SQLite makes of them.

//! Migrations in PostgreSQL's syntax, run on Postgres as they are and translated for SQLite.

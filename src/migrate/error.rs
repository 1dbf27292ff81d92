//! What can go wrong with a migration.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why migrations were not applied. Whatever the reason, no file is applied by half.
#[derive(Debug, Error)]
pub enum Error {
    /// The directory or a file in it cannot be read.
    #[error("cannot read \"{}\"", path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// A file is larger than berth will hold in memory.
    #[error("\"{file}\" has {bytes} bytes, expected at most {limit}: split it")]
    TooLarge {
        /// The file.
        file: String,
        /// Its size.
        bytes: u64,
        /// The bound.
        limit: u64,
    },
    /// The file cannot be cut into statements.
    #[error("\"{file}\", line {line}: {reason}")]
    Syntax {
        /// The file.
        file: String,
        /// Where, counted from one.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// SQLite cannot do what the statement says, or berth does not know how to say it there.
    #[error("\"{file}\", line {line}: cannot be done on SQLite: {reason}; in: {statement}")]
    Untranslatable {
        /// The file.
        file: String,
        /// Where the statement begins, counted from one.
        line: usize,
        /// Its first 80 characters.
        statement: String,
        /// What stands in the way.
        reason: String,
    },
    /// The engine refused a statement.
    #[error("\"{file}\", line {line}: {message}; in: {statement}")]
    Statement {
        /// The file.
        file: String,
        /// Where the statement begins, counted from one.
        line: usize,
        /// Its first 80 characters.
        statement: String,
        /// The engine's text.
        message: String,
    },
    /// After the file's last statement a row points to nothing (SQLite; Postgres says it at the statement).
    #[error("\"{file}\": a row of \"{table}\" refers to a row of \"{parent}\" that does not exist")]
    ForeignKey {
        /// The file.
        file: String,
        /// The table with the foreign key.
        table: String,
        /// The table it points to.
        parent: String,
    },
    /// After the file's last statement a view no longer works (SQLite; Postgres says it at the statement).
    #[error("\"{file}\": the view \"{view}\" no longer works: {message}")]
    BrokenView {
        /// The file.
        file: String,
        /// The view.
        view: String,
        /// The engine's text.
        message: String,
    },
    /// After the file's last statement a policy no longer fits the tables that it names.
    #[error("\"{file}\": the policy {policy} no longer works: {message}")]
    Policy {
        /// The file.
        file: String,
        /// The policy, and its table.
        policy: String,
        /// What is wrong.
        message: String,
    },
    /// A file that was applied has another text now.
    #[error("\"{name}\" has changed since it was applied: put the change into a new file")]
    Changed {
        /// The file.
        name: String,
    },
    /// A new file sorts before one that was applied.
    #[error("\"{name}\" is new but comes before \"{applied}\", which is applied: give it a later name")]
    OutOfOrder {
        /// The new file.
        name: String,
        /// The last applied one.
        applied: String,
    },
    /// The ledger or the transaction failed, not a statement of a file.
    #[error("the migrations could not be recorded")]
    Sqlite(#[from] rusqlite::Error),
    /// The ledger or the transaction failed, not a statement of a file.
    #[error("the migrations could not be recorded")]
    Postgres(#[from] tokio_postgres::Error),
    /// The server refuses what a script has defined on SQLite.
    #[error("\"{file}\": {message}; in: {statement}")]
    Replay {
        /// The file.
        file: String,
        /// The statement's first 80 characters.
        statement: String,
        /// The server's text.
        message: String,
    },
    /// What a script defines is not known any more.
    #[error(
        "what \"{name}\" defines was not kept by the version of berth that applied it, and MIGRATIONS has no file of that \
         name with the text of then"
    )]
    Unrecorded {
        /// The file.
        name: String,
    },
    /// A definition that an earlier migration left behind cannot be read.
    #[error("the definition of \"{name}\" that an earlier migration recorded cannot be read")]
    Definition {
        /// The table or type.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

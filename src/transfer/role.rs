//! Requests become a role of the database: berth's own connection must be allowed to. On SQLite it always is.

use std::collections::BTreeMap;

use tokio_postgres::Transaction;

use super::target::attempt;
use super::{Error, quote};

/// Whether the connection may become a role, as an expression over `pg_roles`. Since version 16 to be a member is not
/// enough.
pub const MAY_BECOME: &str = "CASE \
    WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN pg_catalog.pg_has_role(oid, 'SET') \
    ELSE pg_catalog.pg_has_role(oid, 'MEMBER') END";

/// Lets the connection become these roles, where it may grant them to itself. Gives what is to be said of it.
pub(super) async fn let_become(
    transaction: &Transaction<'_>,
    roles: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<String>, Error> {
    let mut notes = Vec::new();
    let question = format!("SELECT current_user::text, {MAY_BECOME} FROM pg_catalog.pg_roles WHERE rolname = $1");
    for role in roles.keys() {
        let Some(row) = transaction.query_opt(&question, &[role]).await? else { continue };
        let (own, may): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
        if may {
            continue;
        }
        let grant = format!("GRANT {} TO {}", quote(role), quote(&own));
        notes.push(match attempt(transaction, &grant).await? {
            Ok(()) => format!("\"{own}\" may become \"{role}\" now, as requests do: {grant}"),
            Err(why) => {
                format!("\"{own}\" may not become \"{role}\", as requests do ({why}); let an administrator {grant}")
            }
        });
    }
    Ok(notes)
}

//! The pages of a database, as a connection reads them.

use rusqlite::Connection;

use crate::volume::log::change::lock_page;
use crate::volume::log::ltx::StreamError;
use crate::volume::log::retain::Visit;

/// Gives each page of the database that `connection` reads to `visit`, in their order, but for the page that only locks
/// have. Page 1 goes through `fit_first` before.
///
/// # Errors
/// What `visit` says, or that a page cannot be read.
pub fn each_page(
    connection: &Connection,
    page_size: u32,
    fit_first: impl Fn(&mut [u8]),
    visit: &mut Visit<'_>,
) -> Result<(), StreamError> {
    let unreadable = |error: rusqlite::Error| StreamError::Keep(std::io::Error::other(error));
    let mut statement = connection.prepare("SELECT pgno, data FROM sqlite_dbpage").map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    while let Some(row) = rows.next().map_err(unreadable)? {
        let number: u32 = row.get(0).map_err(unreadable)?;
        let content = row.get_ref(1).and_then(|page| Ok(page.as_blob()?)).map_err(unreadable)?;
        match number {
            1 => {
                let mut first = content.to_vec();
                fit_first(&mut first);
                visit(number, &first)?;
            }
            _ if number == lock_page(page_size) => {}
            _ => visit(number, content)?,
        }
    }
    Ok(())
}

//! SQLite's own VFS with one thing more: where a commit is to be made durable, it is published.
//!
//! Only the writer's connection is opened through it. Of all files it looks at the WAL only, and there it acts on one
//! call: `xSync`, when the WAL has a commit that no reader can see yet, because the wal-index does not name it. What
//! the publisher answers then is what SQLite does: commit, or roll back.
//!
//! What is known of the WAL, and from where (<https://www.sqlite.org/fileformat2.html#walformat>, SQLite's `wal.c`):
//!
//! - it has a header of 32 bytes and frames of 24 bytes and a page; a frame that ends a commit has the database's
//!   size at its byte 4, others zero;
//! - a frame's header is written in a call of its own, of 24 bytes; within a transaction frames may be written again
//!   in place, so the pages are read back from the file when the commit is there, not collected on the way;
//! - `xSync` also comes before checkpoints and after a new WAL header: then there is no commit, and nothing is done;
//! - frames that were rolled back stay in the file and are overwritten by the next transaction's. A recovery would take
//!   the last of them for a commit, so a commit that is refused is made void in the file.
//!
//! Nothing is published but between [`Vfs::begin`] and [`Vfs::end`]: what a failed write left behind must not reach the
//! log with a later sync. Nothing is synced to the disk: a working copy is thrown away with its process.

#![allow(unsafe_code, reason = "SQLite calls a VFS through C function pointers")]

use std::ffi::{CStr, CString, c_int, c_void};
use std::fmt;
use std::mem::size_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use super::change::Change;
use super::fault_point::{FaultPoint, reach};

mod transaction;

use transaction::{Commit, Transaction, VOID};

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// It is in the log: readers may see it.
    Granted,
    /// It is not: SQLite rolls it back.
    Refused,
}

/// What SQLite is about to commit.
#[derive(Debug, PartialEq, Eq)]
pub enum Written {
    /// These pages.
    Change(Change),
    /// More pages than memory has room for.
    TooLarge,
}

/// Decides over commits; runs on the thread that commits.
pub type Publisher = Box<dyn FnMut(Written) -> Consent + Send>;

/// A VFS that publishes what is committed through it.
///
/// It stays registered until the process ends, as SQLite has no way to tell when its last file is closed. A process
/// makes one for each store that it opens: one.
#[derive(Clone, Copy)]
pub struct Vfs {
    shared: &'static Shared,
}

impl fmt::Debug for Vfs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Vfs").field(&self.shared.name).finish()
    }
}

/// What a VFS and its files have in common.
struct Shared {
    name: CString,
    real: RealVfs,
    state: Mutex<State>,
}

/// SQLite's own VFS, which lives as long as the process.
#[derive(Clone, Copy)]
struct RealVfs(*mut ffi::sqlite3_vfs);

// SAFETY: SQLite's built-in VFS is registered once, never changed and never freed, and its methods may be called from
// any thread (https://www.sqlite.org/c3ref/vfs.html).
unsafe impl Send for RealVfs {}
// SAFETY: as above.
unsafe impl Sync for RealVfs {}

/// Who decides, and the transaction at hand.
#[derive(Default)]
struct State {
    publisher: Option<Publisher>,
    max_bytes: u64,
    transaction: Transaction,
}

/// The system refused to register the VFS.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("SQLite refused the shared log's VFS (code {0})")]
pub struct Refused(c_int);

impl Vfs {
    /// Registers a VFS under a name of its own.
    ///
    /// # Errors
    /// When SQLite has no VFS to build on or no memory.
    pub fn register() -> Result<Self, Refused> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = CString::new(format!("berth-log-{number}")).map_err(|_| Refused(ffi::SQLITE_MISUSE))?;
        // SAFETY: a null name asks for the default VFS; SQLite initialises itself first.
        let real = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
        if real.is_null() {
            return Err(Refused(ffi::SQLITE_ERROR));
        }
        let shared: &'static Shared =
            Box::leak(Box::new(Shared { name, real: RealVfs(real), state: Mutex::new(State::default()) }));
        // SAFETY: `real` is a valid VFS; a copy of it is plain data. The copied methods are SQLite's unix VFS', none of
        // which but `xOpen` uses the VFS that it is called with for more than its `mxPathname`; `xOpen` is replaced.
        let mut vfs = unsafe { *real };
        vfs.pNext = ptr::null_mut();
        vfs.zName = shared.name.as_ptr();
        vfs.pAppData = ptr::from_ref(shared).cast_mut().cast();
        vfs.szOsFile += c_int::try_from(size_of::<WalFile>()).map_err(|_| Refused(ffi::SQLITE_TOOBIG))?;
        vfs.xOpen = Some(open);
        // SAFETY: the VFS and its name are leaked, so SQLite may keep them.
        let code = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0) };
        if code == ffi::SQLITE_OK { Ok(Self { shared }) } else { Err(Refused(code)) }
    }

    /// The name to open a connection with.
    #[must_use]
    pub fn name(&self) -> &'static CStr {
        &self.shared.name
    }

    /// Sets who decides over commits, and how many bytes of pages it is given at most.
    pub fn publish_with(&self, max_bytes: u64, publisher: Publisher) {
        let mut state = self.shared.state();
        state.max_bytes = max_bytes;
        state.publisher = Some(publisher);
    }

    /// Begins a transaction: its commit will be published. Whatever an earlier one left is forgotten.
    pub fn begin(&self) {
        self.shared.state().transaction.begin();
    }

    /// Ends the transaction, committed or not; true when all that was committed was published.
    ///
    /// False means that SQLite committed without asking, as it does when it is not told to sync: then the copy has what
    /// the log lacks.
    #[must_use]
    pub fn end(&self) -> bool {
        self.shared.state().transaction.end()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A publisher that panicked has refused its commit; the state is set anew before each transaction.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open WAL: SQLite's file object, and behind it in memory the one of the real VFS.
#[repr(C)]
struct WalFile {
    base: ffi::sqlite3_file,
    shared: &'static Shared,
    real: *mut ffi::sqlite3_file,
}

/// All but `xWrite` and `xSync` hand on. Version 1: shared memory and memory mapping are the database file's.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// `sqlite3_vfs.xOpen`.
unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls this with the VFS that was registered, whose `pAppData` is a leaked `Shared`.
    let shared: &'static Shared = unsafe { &*(*vfs).pAppData.cast::<Shared>() };
    let real_vfs = shared.real.0;
    // SAFETY: see `RealVfs`.
    let Some(real_open) = (unsafe { (*real_vfs).xOpen }) else { return ffi::SQLITE_CANTOPEN };
    if flags & ffi::SQLITE_OPEN_WAL == 0 {
        // SAFETY: the arguments are SQLite's own; the file object has room for more than the real VFS needs.
        return unsafe { real_open(real_vfs, name, file, flags, out_flags) };
    }
    let wal = file.cast::<WalFile>();
    // SAFETY: SQLite gives `szOsFile` bytes, 8-byte aligned: a `WalFile` and what the real VFS asked for after it.
    let real = unsafe { wal.add(1) }.cast::<ffi::sqlite3_file>();
    // SAFETY: `real` is memory of the real VFS' size, that nothing else points to; it need not be initialised.
    let code = unsafe { real_open(real_vfs, name, real, flags, out_flags) };
    let methods = if code == ffi::SQLITE_OK { ptr::from_ref(&METHODS) } else { ptr::null() };
    // SAFETY: as above; with null methods SQLite does not close the file.
    unsafe { wal.write(WalFile { base: ffi::sqlite3_file { pMethods: methods }, shared, real }) };
    code
}

/// The file behind `file`, and its methods.
///
/// # Safety
/// `file` was opened by [`open`] and is not closed.
unsafe fn behind(file: *mut ffi::sqlite3_file) -> (*mut ffi::sqlite3_file, &'static ffi::sqlite3_io_methods) {
    // SAFETY: by the caller's promise `file` is a `WalFile` whose real file is open, so it has methods, which are
    // static in SQLite.
    unsafe {
        let real = (*file.cast::<WalFile>()).real;
        (real, &*(*real).pMethods)
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite calls a file's methods only between its opening and its closing.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: as above.
    methods.xClose.map_or(ffi::SQLITE_IOERR, |call| unsafe { call(real) })
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, into: *mut c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: as in `close`.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: as in `close`; the buffer is the caller's.
    methods.xRead.map_or(ffi::SQLITE_IOERR, |call| unsafe { call(real, into, amount, offset) })
}

/// Takes note of frames that were written.
unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: as in `close`.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: as in `close`.
    let code = methods.xWrite.map_or(ffi::SQLITE_IOERR, |call| unsafe { call(real, from, amount, offset) });
    // SAFETY: SQLite promises `amount` readable bytes, which is not negative.
    let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(amount).unwrap_or(0)) };
    // SAFETY: `file` is a `WalFile`, see `behind`.
    let shared = unsafe { (*file.cast::<WalFile>()).shared };
    if code == ffi::SQLITE_OK {
        shared.state().transaction.wrote(bytes, offset);
    } else {
        shared.state().transaction.failed();
    }
    code
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: as in `close`.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: as in `close`.
    methods.xTruncate.map_or(ffi::SQLITE_IOERR, |call| unsafe { call(real, size) })
}

/// Publishes the commit, if there is one.
unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: as in `close`.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: `file` is a `WalFile`, see `behind`.
    let shared = unsafe { (*file.cast::<WalFile>()).shared };
    let mut state = shared.state();
    let Some(commit) = state.transaction.take_commit() else { return ffi::SQLITE_OK };
    let read = |buffer: &mut [u8], offset: i64| {
        let amount = c_int::try_from(buffer.len()).unwrap_or(c_int::MAX);
        // SAFETY: as in `close`; the buffer has `amount` bytes.
        methods
            .xRead
            .is_some_and(|call| unsafe { call(real, buffer.as_mut_ptr().cast(), amount, offset) } == ffi::SQLITE_OK)
    };
    // A panic must not reach C; who panics has not consented.
    match catch_unwind(AssertUnwindSafe(|| state.decide(commit, read))) {
        Ok(Consent::Granted) => ffi::SQLITE_OK,
        Ok(Consent::Refused) | Err(_) => {
            let amount = c_int::try_from(VOID.len()).unwrap_or_default();
            if let Some(call) = methods.xWrite {
                // If it fails, the copy is no worse than any whose process was killed here.
                // SAFETY: as in `close`; `VOID` has `amount` bytes.
                unsafe { call(real, VOID.as_ptr().cast(), amount, commit.at()) };
            }
            ffi::SQLITE_IOERR_FSYNC
        }
    }
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: as in `close`.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: as in `close`.
    methods.xFileSize.map_or(ffi::SQLITE_IOERR, |call| unsafe { call(real, size) })
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: as in `close`.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: as in `close`.
    methods.xLock.map_or(ffi::SQLITE_IOERR, |call| unsafe { call(real, level) })
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: as in `close`.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: as in `close`.
    methods.xUnlock.map_or(ffi::SQLITE_IOERR, |call| unsafe { call(real, level) })
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, result: *mut c_int) -> c_int {
    // SAFETY: as in `close`.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: as in `close`.
    methods.xCheckReservedLock.map_or(ffi::SQLITE_IOERR, |call| unsafe { call(real, result) })
}

unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: as in `close`.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: as in `close`.
    methods.xFileControl.map_or(ffi::SQLITE_NOTFOUND, |call| unsafe { call(real, operation, argument) })
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: as in `close`.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: as in `close`.
    methods.xSectorSize.map_or(0, |call| unsafe { call(real) })
}

/// What the real file has, and powersafe overwrite: else commits would be padded with frames to a sector's end.
unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: as in `close`.
    let (real, methods) = unsafe { behind(file) };
    // SAFETY: as in `close`.
    let real = methods.xDeviceCharacteristics.map_or(0, |call| unsafe { call(real) });
    real | ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

impl State {
    /// Puts the commit to the publisher.
    fn decide(&mut self, commit: Commit, read: impl Fn(&mut [u8], i64) -> bool) -> Consent {
        let Some(written) = self.transaction.read(commit, self.max_bytes, read) else { return Consent::Refused };
        let consent = self.publisher.as_mut().map_or(Consent::Refused, |publish| publish(written));
        reach(FaultPoint::Published);
        consent
    }
}

#[cfg(test)]
mod tests;

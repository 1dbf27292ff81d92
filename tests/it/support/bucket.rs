//! A file system of the tests' own that behaves like a mounted object store (Cloud Storage FUSE), faults included.
//!
//! | as there | here |
//! |---|---|
//! | no hard links, no locks, no rename onto a name | refused |
//! | a file becomes an object, whole, at its `close` | `flush` puts it, if the name is free |
//! | the precondition fails | `close` says `ESTALE`, or nothing at all (older versions), and the bytes are dropped |
//! | "no such file" is believed for a while | until the directory is opened |
//! | the network | replies are lost after the deed, puts fail before it, all takes a while |
//! | a new file | is seen torn for a moment, by all hosts (not there, but on network file systems) |
//!
//! One thing is kinder here: of a file whose writer was killed or failed in the middle nothing becomes an object. (There
//! the part does, and stops the log until a person removes it: `docs/shared-log.md`.)
//!
//! Each instance has a mount of its own, as each host has; what they share is the [`Bucket`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use berth::volume::log::ltx;
use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, OpenFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen,
    ReplyWrite, Request, TimeOrNow, WriteFlags,
};

/// How long a mount believes that a name is absent.
const NEGATIVE_FOR: Duration = Duration::from_millis(300);

/// How long a new file is torn, if it is.
const TORN_FOR: Duration = Duration::from_millis(40);

/// The objects, by path.
#[derive(Default)]
pub struct Bucket {
    objects: Mutex<BTreeMap<String, Object>>,
    directories: Mutex<BTreeSet<String>>,
    requests: AtomicU64,
}

impl Bucket {
    /// How often any mount of it was asked for anything.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::SeqCst)
    }
}

#[derive(Clone)]
struct Object {
    bytes: Arc<Vec<u8>>,
    /// Until then only the first half of it is seen.
    torn_until: Option<Instant>,
}

impl Object {
    fn seen(&self) -> &[u8] {
        let is_torn = self.torn_until.is_some_and(|until| Instant::now() < until);
        if is_torn { &self.bytes[..self.bytes.len() / 2] } else { &self.bytes }
    }
}

/// What lies between a host and its bucket.
#[derive(Clone, Copy)]
pub enum Network {
    /// It loses, delays and refuses, as the seed decides.
    Faulty(u64),
    /// It takes its time, always the same.
    Steady(Latency),
}

/// How long the store takes for a request.
#[derive(Clone, Copy, Default)]
pub struct Latency {
    pub list: Duration,
    pub get: Duration,
    pub put: Duration,
}

/// One host's mount of a bucket.
struct Mount {
    bucket: Arc<Bucket>,
    latency: Option<Latency>,
    state: Mutex<State>,
}

struct State {
    /// Paths by inode number; the root is at 1.
    paths: Vec<String>,
    inodes: HashMap<String, u64>,
    /// Files that were created here and are not closed yet.
    pending: HashMap<String, Vec<u8>>,
    /// Names that are believed absent.
    absent: HashMap<String, Instant>,
    /// `None` where nothing fails.
    seed: Option<u64>,
}

impl State {
    fn inode(&mut self, path: &str) -> u64 {
        if let Some(inode) = self.inodes.get(path) {
            return *inode;
        }
        self.paths.push(path.to_owned());
        let inode = self.paths.len() as u64;
        self.inodes.insert(path.to_owned(), inode);
        inode
    }

    fn path(&self, inode: INodeNo) -> String {
        let place = usize::try_from(u64::from(inode)).unwrap() - 1;
        self.paths.get(place).cloned().unwrap_or_default()
    }

    fn child(&self, parent: INodeNo, name: &OsStr) -> String {
        let parent = self.path(parent);
        let name = name.to_string_lossy();
        if parent.is_empty() { name.into_owned() } else { format!("{parent}/{name}") }
    }

    /// True once in `times`.
    fn once_in(&mut self, times: u64) -> bool {
        let Some(seed) = &mut self.seed else { return false };
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33).is_multiple_of(times)
    }

    fn is_believed_absent(&self, path: &str) -> bool {
        self.absent.get(path).is_some_and(|since| since.elapsed() < NEGATIVE_FOR)
    }
}

fn attributes(inode: u64, kind: FileType, size: usize) -> FileAttr {
    FileAttr {
        ino: INodeNo(inode),
        size: size as u64,
        blocks: 1,
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm: if kind == FileType::Directory { 0o777 } else { 0o666 },
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        flags: 0,
        blksize: 4096,
    }
}

impl Mount {
    fn count(&self) {
        self.bucket.requests.fetch_add(1, Ordering::SeqCst);
    }

    /// The time on the way to the store and back.
    fn wait(&self, of: impl Fn(&Latency) -> Duration) {
        if let Some(latency) = &self.latency {
            thread::sleep(of(latency));
        }
    }

    fn find(&self, state: &mut State, path: &str) -> Option<FileAttr> {
        if path.is_empty() || self.bucket.directories.lock().unwrap().contains(path) {
            return Some(attributes(state.inode(path), FileType::Directory, 0));
        }
        if let Some(size) = state.pending.get(path).map(Vec::len) {
            return Some(attributes(state.inode(path), FileType::RegularFile, size));
        }
        let object = self.bucket.objects.lock().unwrap().get(path).cloned()?;
        Some(attributes(state.inode(path), FileType::RegularFile, object.seen().len()))
    }

    /// Puts a closed file if its name is free. Faults come only to the log's own files.
    fn put(&self, path: &str, bytes: Vec<u8>) -> Result<(), Errno> {
        if path.contains("/ltx/") && ltx::decode(&bytes).is_err() {
            return Err(Errno::EIO);
        }
        let (is_slow, is_refused, is_silent, is_reply_lost, is_torn) = {
            let mut state = self.state.lock().unwrap();
            let mut once_in = |times| path.contains("/ltx/") && state.once_in(times);
            (once_in(4), once_in(20), once_in(2), once_in(15), once_in(10))
        };
        if is_slow {
            thread::sleep(Duration::from_millis(15));
        }
        self.wait(|latency| latency.put);
        if is_refused {
            return Err(Errno::EIO);
        }
        let mut objects = self.bucket.objects.lock().unwrap();
        if objects.contains_key(path) {
            return if is_silent { Ok(()) } else { Err(Errno::ESTALE) };
        }
        let torn_until = is_torn.then(|| Instant::now() + TORN_FOR);
        objects.insert(path.to_owned(), Object { bytes: Arc::new(bytes), torn_until });
        if is_reply_lost { Err(Errno::EIO) } else { Ok(()) }
    }
}

impl Filesystem for Mount {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.count();
        let mut state = self.state.lock().unwrap();
        let path = state.child(parent, name);
        if state.is_believed_absent(&path) {
            return reply.error(Errno::ENOENT);
        }
        match self.find(&mut state, &path) {
            Some(attributes) => reply.entry(&Duration::ZERO, &attributes, Generation(0)),
            None => {
                state.absent.insert(path, Instant::now());
                reply.error(Errno::ENOENT);
            }
        }
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        self.count();
        let mut state = self.state.lock().unwrap();
        let path = state.path(inode);
        match self.find(&mut state, &path) {
            Some(attributes) => reply.attr(&Duration::ZERO, &attributes),
            None => reply.error(Errno::ESTALE),
        }
    }

    fn setattr(
        &self,
        request: &Request,
        inode: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<std::time::SystemTime>,
        handle: Option<FileHandle>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        self.getattr(request, inode, handle, reply);
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        self.count();
        let mut state = self.state.lock().unwrap();
        let path = state.child(parent, name);
        if !self.bucket.directories.lock().unwrap().insert(path.clone()) {
            return reply.error(Errno::EEXIST);
        }
        state.absent.remove(&path);
        reply.entry(&Duration::ZERO, &attributes(state.inode(&path), FileType::Directory, 0), Generation(0));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.count();
        let mut state = self.state.lock().unwrap();
        let path = state.child(parent, name);
        let was_pending = state.pending.remove(&path).is_some();
        let was_there = self.bucket.objects.lock().unwrap().remove(&path).is_some();
        if was_pending || was_there { reply.ok() } else { reply.error(Errno::ENOENT) }
    }

    fn create(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, flags: i32, reply: ReplyCreate) {
        self.count();
        const EXCLUSIVE: i32 = 0o200;
        let mut state = self.state.lock().unwrap();
        let path = state.child(parent, name);
        let is_there = !state.is_believed_absent(&path) && self.find(&mut state, &path).is_some();
        if flags & EXCLUSIVE != 0 && is_there {
            return reply.error(Errno::EEXIST);
        }
        state.absent.remove(&path);
        state.pending.insert(path.clone(), Vec::new());
        let attributes = attributes(state.inode(&path), FileType::RegularFile, 0);
        reply.created(&Duration::ZERO, &attributes, Generation(0), FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        self.count();
        self.wait(|latency| latency.get);
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.count();
        let path = self.state.lock().unwrap().path(inode);
        let Some(object) = self.bucket.objects.lock().unwrap().get(&path).cloned() else {
            return reply.error(Errno::ESTALE);
        };
        let seen = object.seen();
        let from = usize::try_from(offset).unwrap().min(seen.len());
        let to = (from + size as usize).min(seen.len());
        reply.data(&seen[from..to]);
    }

    fn write(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        self.count();
        let mut state = self.state.lock().unwrap();
        let path = state.path(inode);
        let is_full = path.contains("/ltx/") && state.once_in(60);
        match state.pending.get_mut(&path) {
            _ if is_full => reply.error(Errno::ENOSPC),
            // Streaming writes take what comes in order, and nothing else.
            Some(pending) if pending.len() as u64 == offset => {
                pending.extend_from_slice(data);
                reply.written(u32::try_from(data.len()).unwrap());
            }
            Some(_) | None => reply.error(Errno::EIO),
        }
    }

    fn flush(&self, _: &Request, inode: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        self.count();
        let (path, pending) = {
            let mut state = self.state.lock().unwrap();
            let path = state.path(inode);
            let pending = state.pending.remove(&path);
            (path, pending)
        };
        match pending.map_or(Ok(()), |bytes| self.put(&path, bytes)) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        }
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.count();
        reply.ok();
    }

    fn opendir(&self, _: &Request, inode: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        self.count();
        self.wait(|latency| latency.list);
        let mut state = self.state.lock().unwrap();
        let directory = format!("{}/", state.path(inode));
        state.absent.retain(|path, _| !path.starts_with(&directory));
        reply.opened(FileHandle(0), FopenFlags::empty());
    }

    fn readdir(&self, _: &Request, inode: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        self.count();
        let mut state = self.state.lock().unwrap();
        let path = state.path(inode);
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let child = |path: &str| path.strip_prefix(&prefix).filter(|name| !name.contains('/')).map(str::to_owned);
        let mut entries: Vec<(String, FileType)> = Vec::new();
        for directory in self.bucket.directories.lock().unwrap().iter() {
            entries.extend(child(directory).map(|name| (name, FileType::Directory)));
        }
        for object in self.bucket.objects.lock().unwrap().keys() {
            entries.extend(child(object).map(|name| (name, FileType::RegularFile)));
        }
        for (place, (name, kind)) in entries.iter().enumerate().skip(usize::try_from(offset).unwrap()) {
            let inode = state.inode(&format!("{prefix}{name}"));
            if reply.add(INodeNo(inode), place as u64 + 1, *kind, name) {
                break;
            }
        }
        reply.ok();
    }
}

/// Mounts the bucket; `None`, and why, where this machine cannot.
pub fn mount(bucket: &Arc<Bucket>, place: &Path, network: Network) -> Option<BackgroundSession> {
    std::fs::create_dir_all(place).unwrap();
    let (seed, latency) = match network {
        Network::Faulty(seed) => (Some(seed), None),
        Network::Steady(latency) => (None, Some(latency)),
    };
    let state = State {
        paths: vec![String::new()],
        inodes: HashMap::from([(String::new(), 1)]),
        pending: HashMap::new(),
        absent: HashMap::new(),
        seed,
    };
    let mut config = Config::default();
    // Puts take their time; nobody else should wait for them.
    config.n_threads = Some(4);
    let mount = Mount { bucket: Arc::clone(bucket), latency, state: Mutex::new(state) };
    match fuser::spawn_mount(mount, place, &config) {
        Ok(session) => Some(session),
        Err(error) => {
            eprintln!("skipped: no FUSE file system can be mounted here ({error}); it takes /dev/fuse and root");
            None
        }
    }
}

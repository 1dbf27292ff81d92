//! Findings for people and machines: each with its value, what it means and what to do.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::{Facts, Tried};
use crate::volume::mount::{Family, Mount};

/// A durable write slower than this is worth a word: every commit waits for one.
const SLOW_SYNC: Duration = Duration::from_millis(100);

/// Free space below which the volume is called full: a snapshot of a small database.
const LITTLE_SPACE_BYTES: u64 = 64 << 20;

/// How bad a finding is, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be, or only a fact.
    Ok,
    /// It works, but something should be changed.
    Warning,
    /// It loses data or does not work.
    Unsafe,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, e.g. `locks`.
    pub name: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub value: String,
    /// What that means.
    pub meaning: String,
    /// What to do about it, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    /// A finding that asks for nothing.
    pub fn ok(name: &'static str, value: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, value: value.into(), meaning: meaning.into(), advice: None }
    }

    /// The same at another level, with what to do.
    #[must_use]
    pub fn advise(mut self, level: Level, advice: impl Into<String>) -> Self {
        self.level = level;
        self.advice = Some(advice.into());
        self
    }
}

/// What a probe found, in the order of reading. `log`: the directory of the shared log, which may not exist yet.
#[must_use]
pub fn findings(facts: &Facts, log: &Path) -> Vec<Finding> {
    let mut findings = vec![file_system(facts)];
    if let Some(mount) = &facts.mount {
        findings.extend(options(mount));
        findings.push(log_directory(mount, log));
    }
    findings.push(writable(facts));
    let exclusive = match facts.family() {
        Family::Overwriting(_) => {
            "a name that is taken is refused on this host; another host may replace it all the same"
        }
        Family::Local | Family::Network(_) | Family::ObjectStore(_) | Family::Unknown => {
            "a name that is taken is refused: the shared log can tell who was first"
        }
    };
    findings.push(trial(
        "exclusive create",
        &facts.exclusive_create,
        exclusive,
        "nobody can tell who took a name first",
    ));
    findings.push(trial(
        "hard link",
        &facts.hard_link,
        "the shared log writes a file aside and links it to its name: no half file is ever seen",
        "the shared log creates its files in place, which is right only where they appear whole at their close",
    ));
    findings.push(trial(
        "rename",
        &facts.rename,
        "files can be renamed; berth does not need it",
        "berth does not need it",
    ));
    findings.push(trial("locks", &facts.locks, locks_meaning(facts), "SQLite in place would corrupt the file"));
    findings.push(trial(
        "shared memory",
        &facts.shared_memory,
        "processes of this host see the same memory, as SQLite's WAL needs",
        "SQLite's WAL cannot work here",
    ));
    findings.extend(facts.sync.map(sync));
    findings.extend(facts.space.map(|(free, all)| space(free, all)));
    findings
}

fn file_system(facts: &Facts) -> Finding {
    let source = facts.mount.as_ref().map(|mount| format!(" from {} at {}", mount.source, mount.point.display()));
    let value = format!("{}{}", facts.file_system(), source.unwrap_or_default());
    let name = "file system";
    if facts.mount.as_ref().is_some_and(Mount::is_ephemeral) {
        return Finding::ok(
            name,
            value,
            "a container's own layer, or memory: what is written is gone when the container is",
        )
        .advise(Level::Warning, "Mount a volume at VOLUME, or set DATABASE_URL.");
    }
    Finding::ok(
        name,
        value,
        match facts.family() {
            Family::Local => "this host's own: nobody else mounts it",
            Family::Network(_) => "other hosts may mount it: locks and shared memory do not reach them",
            Family::ObjectStore(_) => {
                "a mount of an object store: no locks, no links, a file appears whole when it is closed"
            }
            Family::Overwriting(_) => {
                "a mount of an object store on which a file replaces what another host put there meanwhile"
            }
            Family::Unknown => "not known to be local, so it is taken for a network's",
        },
    )
}

fn locks_meaning(facts: &Facts) -> &'static str {
    match facts.family() {
        Family::Local => "a lock of one process keeps all others out",
        Family::Network(_) | Family::ObjectStore(_) | Family::Overwriting(_) | Family::Unknown => {
            "they hold between processes of this host; whether they hold between hosts cannot be tried from one"
        }
    }
}

/// What the mount's options mean for a log that others write.
fn options(mount: &Mount) -> Vec<Finding> {
    let mut findings = Vec::new();
    match mount.family() {
        Family::Network("NFS") => {
            if mount.has("nolock") || mount.value("local-lock").is_some_and(|kinds| kinds != "none") {
                let meaning = "locks are kept on this host only: other instances do not see them";
                findings.push(Finding::ok("nolock", "set", meaning));
            }
            if mount.has("soft") || mount.has("softerr") {
                let meaning = "an outage of the server becomes an error, and the outcome of a write unknown";
                findings.push(Finding::ok("soft", "set", meaning).advise(Level::Warning, "Mount it with `hard`."));
            }
        }
        Family::Network("SMB") if mount.has("nobrl") => {
            findings.push(Finding::ok("nobrl", "set", "locks are not sent to the server: other hosts do not see them"));
        }
        Family::ObjectStore("Cloud Storage FUSE") => findings.push(negative_cache(mount)),
        Family::Local | Family::Network(_) | Family::ObjectStore(_) | Family::Overwriting(_) | Family::Unknown => {}
    }
    if mount.has("ro") {
        let finding = Finding::ok("read-only", "mounted `ro`", "nothing can be written");
        findings.push(finding.advise(Level::Unsafe, "Mount it for reading and writing."));
    }
    findings
}

fn negative_cache(mount: &Mount) -> Finding {
    const NAME: &str = "metadata-cache-negative-ttl-secs";
    match mount.value(NAME) {
        Some("0") => Finding::ok(NAME, "0", "a file that is not there is asked for again each time"),
        found => Finding::ok(
            NAME,
            found.unwrap_or("not shown by the mount (5 unless it is set)"),
            "the mount may believe for that many seconds that a new file is not there; no write is lost by it",
        )
        .advise(Level::Warning, "Set the mount option metadata-cache-negative-ttl-secs=0."),
    }
}

fn log_directory(mount: &Mount, log: &Path) -> Finding {
    let name = "log directory";
    let value = log.display().to_string();
    // Not made yet is no mount.
    if std::fs::canonicalize(log).is_ok_and(|log| log == mount.point) {
        return Finding::ok(name, value, "it is the root of a mount, which is not looked at afresh when it is opened")
            .advise(Level::Unsafe, "Mount the volume one directory higher, at VOLUME.");
    }
    Finding::ok(name, value, "below the mount's root: opening it asks the server what is new")
}

fn writable(facts: &Facts) -> Finding {
    let name = "writable";
    match &facts.writable {
        Tried::Works => Finding::ok(name, "yes", "files can be made"),
        Tried::Untried => Finding::ok(name, "not tried", ""),
        Tried::Fails(reason) => Finding::ok(name, format!("no: {reason}"), "nothing can be written").advise(
            Level::Unsafe,
            "Mount it for reading and writing, and let the user that berth runs as write it (65532 in the image).",
        ),
    }
}

fn trial(name: &'static str, tried: &Tried, works: &str, fails: &str) -> Finding {
    match tried {
        Tried::Works => Finding::ok(name, "works", works),
        Tried::Untried => Finding::ok(name, "not tried", "the volume cannot be written"),
        // Whether that is unsafe depends on the store: see the verdict.
        Tried::Fails(reason) => Finding::ok(name, format!("does not work: {reason}"), fails),
    }
}

fn sync(latency: Duration) -> Finding {
    let name = "fsync";
    let value = format!("{:.2} ms", latency.as_secs_f64() * 1_000.0);
    let meaning = "each group of writes waits for it once";
    if latency < SLOW_SYNC {
        return Finding::ok(name, value, meaning);
    }
    Finding::ok(name, value, meaning).advise(Level::Warning, "Use a faster volume, or write more rows in a request.")
}

fn space(free: u64, all: u64) -> Finding {
    let name = "free space";
    let value = format!("{} of {}", size(free), size(all));
    if free >= LITTLE_SPACE_BYTES {
        return Finding::ok(name, value, "room for what is to come");
    }
    Finding::ok(name, value, "writes will soon fail; what is there stays readable")
        .advise(Level::Warning, "Enlarge the volume or remove what is not needed.")
}

/// Bytes for people.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    // Only shown: digits that a float loses are not printed.
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut number = bytes as f64;
    let mut unit = 0;
    while number >= 1024.0 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && number < 100.0);
    format!("{number:.digits$} {}", UNITS.get(unit).copied().unwrap_or_default())
}

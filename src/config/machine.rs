//! How much of a machine there is: the base of the default bounds.

use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Taken when neither a cgroup nor the kernel says how much memory there is: what small serverless instances have.
const MEMORY_UNKNOWN_BYTES: u64 = 512 << 20;

/// Cgroup limits from here on mean "none": version 1 writes the largest page-aligned number.
const UNLIMITED_BYTES: u64 = 1 << 50;

/// Files that may be open where the kernel knows no limit: no more are ever needed.
const FILES_UNLIMITED: usize = 1 << 20;

/// Memory, cores and files this process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// The cgroup's limit, else the machine's memory.
    pub memory_bytes: u64,
    /// Cores, by quota and affinity; at least one.
    pub cores: usize,
    /// Files and sockets that may be open at one time.
    pub files: usize,
}

impl Machine {
    /// Asks the kernel.
    #[must_use]
    pub fn look() -> Self {
        Self {
            memory_bytes: memory_below(Path::new("/")),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            files: most_files(),
        }
    }
}

/// Raises the limit of open files as far as the system lets it, and tells it. The lower one is for programs that cannot
/// deal with more.
fn most_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // Where it cannot be raised it stays.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).is_ok();
    let files = if raised { limit.maximum } else { limit.current };
    files.and_then(|files| usize::try_from(files).ok()).unwrap_or(FILES_UNLIMITED)
}

/// The memory limit that the files under `root` tell: cgroup version 2, then 1, then the whole machine.
fn memory_below(root: &Path) -> u64 {
    let machine = std::fs::read_to_string(root.join("proc/meminfo"))
        .ok()
        .and_then(|text| total_of(&text))
        .unwrap_or(MEMORY_UNKNOWN_BYTES);
    ["sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .iter()
        .filter_map(|name| std::fs::read_to_string(root.join(name)).ok())
        .filter_map(|text| text.trim().parse::<u64>().ok())
        .find(|limit| *limit > 0 && *limit < UNLIMITED_BYTES)
        .map_or(machine, |limit| limit.min(machine))
}

/// `MemTotal` of `/proc/meminfo`, which counts in KiB.
fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine_with(files: &[(&str, &str)]) -> u64 {
        let root = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        memory_below(root.path())
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemFree: 3 kB\nMemTotal:       4194304 kB\n");

    #[test]
    fn the_limit_of_a_version_2_cgroup_counts() {
        assert_eq!(machine_with(&[MEMINFO, ("sys/fs/cgroup/memory.max", "536870912\n")]), 512 << 20);
    }

    #[test]
    fn the_limit_of_a_version_1_cgroup_counts() {
        assert_eq!(machine_with(&[MEMINFO, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n")]), 256 << 20);
    }

    #[test]
    fn without_a_limit_the_machine_counts() {
        assert_eq!(machine_with(&[MEMINFO, ("sys/fs/cgroup/memory.max", "max\n")]), 4 << 30);
        let version_1 = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(machine_with(&[MEMINFO, version_1]), 4 << 30);
    }

    #[test]
    fn a_limit_above_the_machine_is_the_machine() {
        assert_eq!(machine_with(&[MEMINFO, ("sys/fs/cgroup/memory.max", "68719476736\n")]), 4 << 30);
    }

    #[test]
    fn where_nothing_is_known_a_small_instance_is_assumed() {
        assert_eq!(machine_with(&[]), MEMORY_UNKNOWN_BYTES);
    }
}

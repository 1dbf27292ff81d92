//! What the operating system says of this process.

use std::fs;

/// Bytes of memory that are resident; zero where the system does not say.
///
/// Source: `proc_pid_status(5)`, `VmRSS`.
pub(super) fn resident_bytes() -> i64 {
    fs::read_to_string("/proc/self/status").ok().as_deref().and_then(resident).unwrap_or_default()
}

fn resident(status: &str) -> Option<i64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_the_systems_text() {
        assert_eq!(resident("Name:\tberth\nVmRSS:\t    9876 kB\nRssAnon: 1 kB\n"), Some(9_876 * 1024));
        assert_eq!(resident("Name:\tberth\n"), None);
        assert!(resident_bytes() > 1 << 20);
    }
}

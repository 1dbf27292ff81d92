//! How far a long command is: a bar on a terminal, a line now and then elsewhere. Never on stdout.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use crate::clock::Stopwatch;

/// Between two pictures of the bar: quicker than this nobody reads.
const BAR_EVERY: Duration = Duration::from_millis(100);

/// Between two lines where nobody watches.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Characters of the bar.
const BAR_WIDTH: u64 = 24;

/// Characters of a line: one that wraps could not be painted over.
const LINE_WIDTH: usize = 79;

/// Tells how far it is.
pub(super) struct Progress {
    sink: Box<dyn Write>,
    style: Style,
    since: Stopwatch,
    /// When it told last; `None` before the first time.
    told: Option<Stopwatch>,
    is_painted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Bar,
    Lines,
}

impl Progress {
    /// On stderr.
    pub(super) fn start() -> Self {
        let style = if io::stderr().is_terminal() { Style::Bar } else { Style::Lines };
        Self::to(Box::new(io::stderr()), style)
    }

    fn to(sink: Box<dyn Write>, style: Style) -> Self {
        Self { sink, style, since: Stopwatch::start(), told: None, is_painted: false }
    }

    /// Since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Tells that `done` of `total` (if it is known) are done, in the words of `what`, unless it told just before.
    pub(super) fn show(&mut self, done: u64, total: Option<u64>, what: impl FnOnce() -> String) {
        let every = match self.style {
            Style::Bar => BAR_EVERY,
            Style::Lines => LINE_EVERY,
        };
        // The first line comes when something takes long.
        let since_told = self.told.unwrap_or(self.since);
        if since_told.elapsed() < every {
            return;
        }
        self.told = Some(Stopwatch::start());
        let line = line(self.style, done, total, &what(), self.since.elapsed());
        // A closed stderr is nobody's loss.
        let _ = match self.style {
            Style::Bar => write!(self.sink, "\r\x1b[K{line}").and_then(|()| self.sink.flush()),
            Style::Lines => writeln!(self.sink, "{line}"),
        };
        self.is_painted = self.style == Style::Bar;
    }

    /// Takes the bar away, for what is written next.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_painted) {
            let _ = write!(self.sink, "\r\x1b[K").and_then(|()| self.sink.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn line(style: Style, done: u64, total: Option<u64>, what: &str, elapsed: Duration) -> String {
    let mut line = String::new();
    if let Some(total) = total.filter(|total| *total > 0) {
        let share = |of: u64| u128::from(done.min(total)) * u128::from(of) / u128::from(total);
        if style == Style::Bar {
            let full = usize::try_from(share(BAR_WIDTH)).unwrap_or_default();
            let rest = usize::try_from(BAR_WIDTH).unwrap_or_default().saturating_sub(full);
            let _ = write!(line, "[{}{}] ", "#".repeat(full), "-".repeat(rest));
        }
        let _ = write!(line, "{:>3} % ", share(100));
    }
    let _ = write!(line, "{what}, {} s", elapsed.as_secs());
    line.chars().take(LINE_WIDTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        let at = |done, total| line(Style::Bar, done, total, "films", Duration::from_secs(3));
        assert_eq!(at(0, Some(4)), format!("[{}]   0 % films, 3 s", "-".repeat(24)));
        assert_eq!(at(1, Some(4)), format!("[{}{}]  25 % films, 3 s", "#".repeat(6), "-".repeat(18)));
        assert_eq!(at(9, Some(4)), format!("[{}] 100 % films, 3 s", "#".repeat(24)));
        assert_eq!(at(9, None), "films, 3 s");
        assert_eq!(at(9, Some(0)), "films, 3 s");
        assert_eq!(line(Style::Lines, 1, Some(3), "films", Duration::ZERO), " 33 % films, 0 s");
        assert_eq!(line(Style::Lines, 1, None, &"é".repeat(200), Duration::ZERO).chars().count(), LINE_WIDTH);
    }
}

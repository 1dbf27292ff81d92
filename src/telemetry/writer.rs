//! Writes log lines without anyone waiting for them.
//!
//! Lines are appended to one buffer; a thread of its own writes the buffer out whole. While nothing is told the thread
//! sleeps. When the reader of stdout is slower than the lines come, the buffer fills and further lines are dropped and
//! counted: a slow log must not slow requests.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::clock::Deadline;

/// Most bytes of lines not yet written: a second's worth at ten thousand requests a second.
const BUFFER_MAX_BYTES: usize = 4 << 20;

/// Takes lines; cheap to clone.
#[derive(Clone)]
pub struct Writer(Arc<Shared>);

#[derive(Default)]
struct Shared {
    pending: Mutex<Pending>,
    /// Lines came, or the last `Writer` went.
    told: Condvar,
    /// All lines that had come are written.
    written: Condvar,
}

#[derive(Default)]
struct Pending {
    lines: Vec<u8>,
    is_writing: bool,
    dropped: u64,
    /// Nobody takes lines out, so none are kept.
    is_closed: bool,
}

impl Writer {
    /// Writes to `output` from a thread of its own, which lives as long as the process.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn to(output: impl Write + Send + 'static) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || theirs.write_all(output))?;
        Ok(Self(shared))
    }

    /// Takes lines and forgets them.
    #[must_use]
    pub fn to_nowhere() -> Self {
        let shared = Shared::default();
        shared.lock().is_closed = true;
        Self(Arc::new(shared))
    }

    /// Takes one line, its line break included, or drops it when the buffer is full.
    pub fn take(&self, line: &[u8]) {
        let mut pending = self.0.lock();
        if pending.is_closed {
            return;
        }
        if pending.lines.len() + line.len() > BUFFER_MAX_BYTES {
            pending.dropped += 1;
            return;
        }
        let was_empty = pending.lines.is_empty();
        pending.lines.extend_from_slice(line);
        let is_asleep = was_empty && !pending.is_writing;
        drop(pending);
        if is_asleep {
            self.0.told.notify_one();
        }
    }

    /// Lines dropped so far.
    #[must_use]
    pub fn dropped_lines(&self) -> u64 {
        self.0.lock().dropped
    }

    /// Waits until every line taken so far is written, or `deadline`.
    pub fn flush(&self, deadline: Deadline) {
        let mut pending = self.0.lock();
        while pending.is_writing || !pending.lines.is_empty() {
            let remaining = deadline.remaining();
            if remaining.is_zero() {
                return;
            }
            pending = self.0.written.wait_timeout(pending, remaining).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    /// A poisoned lock is taken all the same: every change under it is whole at each step.
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut output: impl Write) {
        let mut taken = Vec::new();
        loop {
            let mut pending = self.lock();
            pending.is_writing = false;
            self.written.notify_all();
            while pending.lines.is_empty() {
                pending = self.told.wait(pending).unwrap_or_else(PoisonError::into_inner);
            }
            std::mem::swap(&mut pending.lines, &mut taken);
            pending.is_writing = true;
            drop(pending);

            // A closed stdout cannot be told to anyone; the service goes on without a log.
            let _ = output.write_all(&taken).and_then(|()| output.flush());
            taken.clear();
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Writer")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Says what is written, and writes only when it is let.
    struct Gate {
        written: mpsc::Sender<Vec<u8>>,
        open: mpsc::Receiver<()>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.open.recv();
            let _ = self.written.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn gated() -> (Writer, mpsc::Receiver<Vec<u8>>, mpsc::Sender<()>) {
        let (written, read) = mpsc::channel();
        let (open, gate) = mpsc::channel();
        (Writer::to(Gate { written, open: gate }).unwrap(), read, open)
    }

    #[test]
    fn lines_are_written_in_order() {
        let (writer, read, open) = gated();
        drop(open);
        writer.take(b"one\n");
        writer.take(b"two\n");
        writer.flush(Deadline::after(Duration::from_secs(5)));
        assert_eq!(read.try_iter().collect::<Vec<_>>().concat(), b"one\ntwo\n");
    }

    #[test]
    fn a_stuck_reader_costs_lines_and_no_time() {
        let (writer, _read, _open) = gated();
        let line = vec![b'x'; BUFFER_MAX_BYTES / 4];
        for _ in 0..9 {
            writer.take(&line);
        }
        assert!(writer.dropped_lines() >= 1);
        writer.flush(Deadline::after(Duration::from_millis(10)));
    }
}

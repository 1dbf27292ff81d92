//! One log line in the making, as JSON or for people.

use std::io::Write as _;

use super::event::RequestAnswered;
use super::log::{Format, Level};

/// How a line is spelled.
pub(super) struct Line<'a> {
    bytes: &'a mut Vec<u8>,
    format: Format,
}

impl<'a> Line<'a> {
    /// Begins a line: time, severity and message.
    pub(super) fn begin(bytes: &'a mut Vec<u8>, format: Format, level: Level, message: &str) -> Self {
        bytes.clear();
        let now = jiff::Timestamp::from_microsecond(crate::clock::unix_micros()).unwrap_or_default();
        let mut line = Self { bytes, format };
        match format {
            Format::Json => {
                line.append(format_args!("{{\"severity\":\"{}\",\"time\":\"{now:.6}\",\"message\":", level.severity()));
                line.quoted(message);
            }
            Format::Text => line.append(format_args!("{now:.3} {:<7} {message}", level.severity())),
        }
        line
    }

    /// Adds a field of text.
    pub(super) fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        self.quoted(value);
        self
    }

    /// Adds a field of text, when there is one.
    pub(super) fn text_if(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    /// Adds a field that is a number.
    pub(super) fn number(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.key(key);
        self.append(format_args!("{value}"));
        self
    }

    /// Adds a field that is a number, when there is one.
    pub(super) fn number_if(self, key: &str, value: Option<u64>) -> Self {
        match value {
            Some(value) => self.number(key, value),
            None => self,
        }
    }

    /// Adds what the cloud's log viewer shows as a request.
    pub(super) fn http_request(mut self, answered: &RequestAnswered<'_>) -> Self {
        self.append(format_args!(",\"httpRequest\":{{\"requestMethod\":"));
        self.quoted(answered.method);
        self.append(format_args!(",\"requestUrl\":"));
        self.quoted(answered.path);
        self.append(format_args!(
            ",\"status\":{},\"responseSize\":\"{}\",\"latency\":\"{:.6}s\"}}",
            answered.status,
            answered.response_bytes,
            answered.latency.as_secs_f64()
        ));
        self
    }

    /// Adds a field of text to JSON; left out for people.
    pub(super) fn text_for_machines(self, key: &str, value: &str) -> Self {
        if self.format == Format::Json { self.text(key, value) } else { self }
    }

    /// Ends the line.
    pub(super) fn end(self) -> &'a [u8] {
        self.bytes.extend_from_slice(if self.format == Format::Json { b"}\n" } else { b"\n" });
        self.bytes
    }

    fn key(&mut self, key: &str) {
        match self.format {
            Format::Json => {
                self.bytes.push(b',');
                self.quoted(key);
                self.bytes.push(b':');
            }
            Format::Text => self.append(format_args!(" {key}=")),
        }
    }

    /// Appending to memory cannot fail.
    fn append(&mut self, arguments: std::fmt::Arguments<'_>) {
        let _ = self.bytes.write_fmt(arguments);
    }

    /// JSON's quotes keep a value on one line, so that no value can forge a line.
    fn quoted(&mut self, value: &str) {
        let _ = serde_json::to_writer(&mut *self.bytes, value);
    }
}

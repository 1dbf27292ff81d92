//! How long each stage of a request took, for `Server-Timing`.
//!
//! Source: <https://www.w3.org/TR/server-timing/>,
//! <https://docs.postgrest.org/en/v16/references/observability.html#server-timing-header>.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::response::Reply;

/// A stage, by `PostgREST`'s name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Who sends it.
    Jwt,
    /// What it wants.
    Parse,
    /// What that comes to, with the SQL for it.
    Plan,
    /// The store.
    Transaction,
    /// The answer.
    Response,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Parse => "parse",
            Self::Plan => "plan",
            Self::Transaction => "transaction",
            Self::Response => "response",
        }
    }
}

/// What the stages took; unless started, no clock is read.
#[derive(Debug, Default)]
pub(super) struct Laps(Option<Started>);

#[derive(Debug)]
struct Started {
    since: Stopwatch,
    /// In the order in which they ended.
    done: Vec<(Stage, Duration)>,
}

impl Laps {
    /// Starts with the first stage.
    pub(super) fn start() -> Self {
        Self(Some(Started { since: Stopwatch::start(), done: Vec::with_capacity(5) }))
    }

    /// Says that a stage ends here, and the next begins. When a request is planned again, the last time counts.
    pub(super) fn end(&mut self, stage: Stage) {
        let Some(Started { since, done }) = &mut self.0 else { return };
        let taken = since.elapsed();
        *since = Stopwatch::start();
        done.retain(|(other, _)| *other != stage);
        done.push((stage, taken));
    }

    /// Tells the sender.
    pub(super) fn tell(&self, reply: &mut Reply) {
        let Some(Started { done, .. }) = &self.0 else { return };
        let metric =
            |(stage, taken): &(Stage, Duration)| format!("{};dur={:.1}", stage.name(), taken.as_secs_f64() * 1e3);
        let told: Vec<String> = done.iter().map(metric).collect();
        reply.headers.push(("Server-Timing".to_owned(), told.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::status::Caller;
    use crate::response::{Failure, Verbosity};

    #[test]
    fn each_stage_is_told_once_in_milliseconds() {
        let mut laps = Laps::start();
        for stage in [Stage::Jwt, Stage::Parse, Stage::Plan, Stage::Parse] {
            laps.end(stage);
        }
        let failure = Failure { code: "PGRST100", message: "", details: None, hint: None };
        let mut reply = Reply::failure(&failure, Caller::Anonymous, Verbosity::Minimal);
        laps.tell(&mut reply);
        let told = reply.headers.last().map(|(_, value)| value.replace(|it: char| it.is_ascii_digit(), "0"));
        assert_eq!(told.as_deref(), Some("jwt;dur=0.0, plan;dur=0.0, parse;dur=0.0"));
    }
}

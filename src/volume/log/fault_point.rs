//! Named places at which a test stops, ends or delays an instance.
//!
//! Only builds with debug assertions know them, and there only an instance whose environment names one:
//! `BERTH_FAULT_POINT=before-put:3:stop` stops the process (SIGSTOP) when it comes to the place for the third time.
//! Actions: `stop`, `kill`, and `sleep-N`, which delays by N milliseconds from that time on.

/// A place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultPoint {
    /// A record is about to be put at its slot.
    BeforePut,
    /// The put was answered, and nobody has looked who has the slot.
    AfterPut,
    /// The record is in the log, and no reader of this instance can see it.
    Published,
    /// A snapshot is about to be put.
    BeforeSnapshot,
    /// A snapshot is there, and nothing was removed on its account.
    AfterSnapshot,
    /// One more old file was removed.
    Removed,
}

#[cfg(debug_assertions)]
impl FaultPoint {
    fn name(self) -> &'static str {
        match self {
            Self::BeforePut => "before-put",
            Self::AfterPut => "after-put",
            Self::Published => "published",
            Self::BeforeSnapshot => "before-snapshot",
            Self::AfterSnapshot => "after-snapshot",
            Self::Removed => "removed",
        }
    }
}

/// Tells that the process has come to a place.
#[cfg(not(debug_assertions))]
#[inline]
pub(super) fn reach(_point: FaultPoint) {}

/// Tells that the process has come to a place.
#[cfg(debug_assertions)]
pub(super) fn reach(point: FaultPoint) {
    armed::reach(point);
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    use super::FaultPoint;

    #[derive(Debug, PartialEq, Eq)]
    pub(super) enum Action {
        Stop,
        Kill,
        Sleep(Duration),
    }

    #[derive(Debug, PartialEq, Eq)]
    pub(super) struct Order {
        pub(super) point: String,
        pub(super) time: u64,
        pub(super) action: Action,
    }

    pub(super) fn parse(text: &str) -> Option<Order> {
        let mut parts = text.split(':');
        let (point, time, action) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?, parts.next()?);
        let action = match action.strip_prefix("sleep-") {
            Some(millis) => Action::Sleep(Duration::from_millis(millis.parse().ok()?)),
            None if action == "stop" => Action::Stop,
            None if action == "kill" => Action::Kill,
            None => return None,
        };
        Some(Order { point, time, action })
    }

    #[expect(clippy::disallowed_methods, reason = "not a setting: no release build reads it")]
    fn order() -> Option<&'static Order> {
        static ORDER: OnceLock<Option<Order>> = OnceLock::new();
        ORDER.get_or_init(|| std::env::var("BERTH_FAULT_POINT").ok().and_then(|text| parse(&text))).as_ref()
    }

    pub(super) fn reach(point: FaultPoint) {
        static TIMES: AtomicU64 = AtomicU64::new(0);
        let Some(order) = order().filter(|order| order.point == point.name()) else { return };
        let time = TIMES.fetch_add(1, Ordering::SeqCst) + 1;
        // If the signal cannot be sent, the test that waits for it says so.
        match order.action {
            Action::Stop if time == order.time => drop(kill_process(getpid(), Signal::STOP)),
            Action::Kill if time == order.time => drop(kill_process(getpid(), Signal::KILL)),
            Action::Sleep(pause) if time >= order.time => std::thread::sleep(pause),
            Action::Stop | Action::Kill | Action::Sleep(_) => {}
        }
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use std::time::Duration;

    use super::armed::{Action, Order, parse};

    #[test]
    fn an_order_names_place_time_and_action() {
        let order = |action| Some(Order { point: "before-put".to_owned(), time: 3, action });
        assert_eq!(parse("before-put:3:stop"), order(Action::Stop));
        assert_eq!(parse("before-put:3:kill"), order(Action::Kill));
        assert_eq!(parse("before-put:3:sleep-20"), order(Action::Sleep(Duration::from_millis(20))));
        for nonsense in ["", "before-put", "before-put:x:stop", "before-put:3:dance", "before-put:3:sleep-"] {
            assert_eq!(parse(nonsense), None);
        }
    }
}

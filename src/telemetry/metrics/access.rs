//! Keys for tokens and machines, and limits.

use prometheus::{IntCounter, IntCounterVec, IntGauge};

use super::declare::Declare;
use super::whole;

/// Who may come, and how often.
#[derive(Debug)]
pub(super) struct AccessMetrics {
    key_fetches: IntCounterVec,
    keys: IntGauge,
    pub(super) api_keys: IntGauge,
    pub(super) api_key_failures: IntCounter,
    pub(super) rate_limited: IntCounterVec,
}

impl AccessMetrics {
    pub(super) fn new(declare: &Declare<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            key_fetches: declare.counters(
                "berth_jwks_fetches_total",
                "Fetches of the keys at JWKS_URL, by outcome.",
                &["outcome"],
            )?,
            keys: declare.gauge("berth_jwks_keys", "Keys of JWKS_URL at hand.")?,
            api_keys: declare.gauge("berth_api_keys", "Keys of API_KEYS_FILE at hand.")?,
            api_key_failures: declare.counter("berth_api_key_failures_total", "API_KEYS_FILE could not be used.")?,
            rate_limited: declare.counters(
                "berth_rate_limited_total",
                "Requests turned away by RATE_LIMIT, by whose limit.",
                &["by"],
            )?,
        })
    }

    pub(super) fn fetched(&self, keys: usize) {
        self.key_fetches.with_label_values(&["fetched"]).inc();
        self.keys.set(whole(keys));
    }

    pub(super) fn not_fetched(&self) {
        self.key_fetches.with_label_values(&["failed"]).inc();
    }
}

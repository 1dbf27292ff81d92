//! Where telemetry is pushed, by the variables of OpenTelemetry.
//!
//! Source: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>,
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>

use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::Export;
use super::raw::Raw;
use super::resolve::{Resolver, text};
use super::secret::Secret;

impl Resolver {
    /// Reads the variables.
    pub(super) fn export(&mut self, raw: &Raw) -> Export {
        let base = self.web_address("OTEL_EXPORTER_OTLP_ENDPOINT", &raw.otel_exporter_otlp_endpoint);
        let mut address = |variable, typed: &Option<String>, below: &str| match text(typed).as_deref() {
            Some("none") => None,
            Some(_) => self.web_address(variable, typed),
            None => base.as_deref().map(|base| format!("{}{below}", base.trim_end_matches('/'))),
        };
        let metrics =
            address("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &raw.otel_exporter_otlp_metrics_endpoint, "/v1/metrics");
        let traces =
            address("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &raw.otel_exporter_otlp_traces_endpoint, "/v1/traces");
        let headers = pairs(&raw.otel_exporter_otlp_headers).unwrap_or_else(|| {
            self.unexpected_secret("OTEL_EXPORTER_OTLP_HEADERS", "name=value, separated by commas");
            Vec::new()
        });
        let more = pairs(&raw.otel_resource_attributes).unwrap_or_else(|| {
            let typed = raw.otel_resource_attributes.clone().unwrap_or_default();
            self.unexpected("OTEL_RESOURCE_ATTRIBUTES", &typed, "name=value, separated by commas");
            Vec::new()
        });
        let revision = text(&raw.k_revision).map(|revision| ("faas.version".to_owned(), revision));
        let own = [
            ("service.name".to_owned(), text(&raw.otel_service_name).unwrap_or_default()),
            ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ];
        Export {
            metrics,
            traces,
            headers: Secret::new(headers),
            // What is named for the service wins over what is typed among others.
            resource: more
                .into_iter()
                .filter(|(name, _)| own.iter().all(|(known, _)| known != name))
                .chain(own.clone())
                .chain(revision)
                .collect(),
            interval: self.milliseconds("OTEL_METRIC_EXPORT_INTERVAL", &raw.otel_metric_export_interval),
            timeout: self.milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", &raw.otel_exporter_otlp_timeout),
        }
    }

    /// OpenTelemetry's durations are whole milliseconds.
    fn milliseconds(&mut self, variable: &'static str, typed: &Option<String>) -> Duration {
        let number = self.number(variable, typed, "a number of milliseconds, at least 1");
        let number = number.unwrap_or(1);
        if number == 0 {
            self.unexpected(variable, "0", "a number of milliseconds, at least 1");
        }
        Duration::from_millis(number)
    }
}

/// `name=value,name=value`, values percent-encoded; `None` when it is not that.
fn pairs(typed: &Option<String>) -> Option<Vec<(String, String)>> {
    let Some(typed) = text(typed) else { return Some(Vec::new()) };
    let listed = typed.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    listed
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            let name = name.trim();
            (!name.is_empty()).then(|| (name.to_owned(), value.into_owned()))
        })
        .collect()
}

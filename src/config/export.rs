//! Where telemetry is pushed, by the variables of OpenTelemetry.
//!
//! Source: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>,
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>

use std::collections::BTreeMap;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::Export;
use super::raw::Raw;
use super::resolve::Resolver;
use super::secret::Secret;
use super::value::text;

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
        let typed = pairs(&raw.otel_resource_attributes).unwrap_or_else(|| {
            let value = raw.otel_resource_attributes.as_deref().unwrap_or_default();
            self.unexpected("OTEL_RESOURCE_ATTRIBUTES", value, "name=value, separated by commas");
            Vec::new()
        });
        let mut resource = BTreeMap::from([
            ("service.name".to_owned(), text(&raw.k_service).unwrap_or_else(|| "berth".to_owned())),
            ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ]);
        resource.extend(text(&raw.k_revision).map(|revision| ("faas.version".to_owned(), revision)));
        // What is typed wins over what is found, and a name of its own over one among others.
        resource.extend(typed);
        resource.extend(text(&raw.otel_service_name).map(|name| ("service.name".to_owned(), name)));
        Export {
            metrics,
            traces,
            headers: Secret::new(headers),
            resource: resource.into_iter().collect(),
            interval: self.milliseconds("OTEL_METRIC_EXPORT_INTERVAL", &raw.otel_metric_export_interval),
            timeout: self.milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", &raw.otel_exporter_otlp_timeout),
        }
    }

    /// OpenTelemetry's durations are whole milliseconds.
    fn milliseconds(&mut self, variable: &'static str, typed: &Option<String>) -> Duration {
        let number = self.number(variable, typed, "a number of milliseconds", 1..=86_400_000);
        Duration::from_millis(number.unwrap_or(1))
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

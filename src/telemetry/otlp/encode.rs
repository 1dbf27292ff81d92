//! Metrics as OTLP's JSON.
//!
//! 64-bit integers are written as text, as protobuf's JSON has them; a `Sum` is a total since the start (temporality 2).
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>,
//! `opentelemetry/proto/metrics/v1/metrics.proto`

use prometheus::proto::{Metric, MetricFamily, MetricType};
use serde_json::{Value as Json, json};

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`.
const CUMULATIVE: u8 = 2;

/// Attributes as OTLP has them.
pub(super) fn attributes<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Json {
    pairs.into_iter().map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } })).collect()
}

/// What the instance is.
pub(super) fn resource(pairs: &[(String, String)]) -> Json {
    json!({ "attributes": attributes(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))) })
}

/// Who measures.
pub(super) fn scope() -> Json {
    json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") })
}

/// A request of `/v1/metrics`. `between`: the start of the instance and now, in nanoseconds since 1970.
pub(super) fn metrics(families: &[MetricFamily], resource: &Json, between: (u64, u64)) -> Json {
    let metrics: Vec<Json> = families.iter().map(|family| metric(family, between)).collect();
    json!({ "resourceMetrics": [{
        "resource": resource,
        "scopeMetrics": [{ "scope": scope(), "metrics": metrics }],
    }] })
}

fn metric(family: &MetricFamily, between: (u64, u64)) -> Json {
    let points = |write: fn(&Metric) -> Json| -> Vec<Json> {
        family.get_metric().iter().map(|metric| point(metric, write(metric), between)).collect()
    };
    let mut told = json!({ "name": family.name(), "description": family.help() });
    let (kind, data) = match family.get_field_type() {
        MetricType::COUNTER => {
            let points = points(|metric| json!({ "asDouble": metric.get_counter().get_value() }));
            ("sum", json!({ "dataPoints": points, "aggregationTemporality": CUMULATIVE, "isMonotonic": true }))
        }
        MetricType::HISTOGRAM => {
            ("histogram", json!({ "dataPoints": points(histogram), "aggregationTemporality": CUMULATIVE }))
        }
        MetricType::GAUGE | MetricType::SUMMARY | MetricType::UNTYPED => {
            let points = points(|metric| json!({ "asDouble": metric.get_gauge().get_value() }));
            ("gauge", json!({ "dataPoints": points }))
        }
    };
    if let Some(fields) = told.as_object_mut() {
        fields.insert(kind.to_owned(), data);
    }
    told
}

/// Adds to a point's value when and of what it is.
fn point(metric: &Metric, mut value: Json, (start, now): (u64, u64)) -> Json {
    let labels = metric.get_label().iter().map(|label| (label.name(), label.value()));
    if let Some(fields) = value.as_object_mut() {
        fields.insert("attributes".to_owned(), attributes(labels));
        fields.insert("startTimeUnixNano".to_owned(), start.to_string().into());
        fields.insert("timeUnixNano".to_owned(), now.to_string().into());
    }
    value
}

/// Prometheus counts all up to a bound, OTLP those between two.
fn histogram(metric: &Metric) -> Json {
    let histogram = metric.get_histogram();
    let (mut bounds, mut counts, mut below) = (Vec::new(), Vec::new(), 0);
    for bucket in histogram.get_bucket().iter().filter(|bucket| bucket.upper_bound().is_finite()) {
        bounds.push(bucket.upper_bound());
        counts.push(bucket.cumulative_count().saturating_sub(below).to_string());
        below = bucket.cumulative_count();
    }
    counts.push(histogram.get_sample_count().saturating_sub(below).to_string());
    json!({
        "count": histogram.get_sample_count().to_string(),
        "sum": histogram.get_sample_sum(),
        "explicitBounds": bounds,
        "bucketCounts": counts,
    })
}

#[cfg(test)]
mod tests {
    use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry};

    use super::*;

    #[test]
    fn every_kind_becomes_what_otlp_calls_it() {
        let registry = Registry::new();
        let counters = IntCounterVec::new(Opts::new("a_total", "As."), &["class"]).unwrap();
        counters.with_label_values(&["x"]).inc_by(3);
        let gauge = IntGauge::new("b", "Bs.").unwrap();
        gauge.set(-2);
        let options = HistogramOpts::new("c_seconds", "Cs.").buckets(vec![1.0, 2.0]);
        let histogram = Histogram::with_opts(options).unwrap();
        [0.5, 1.5, 1.7, 9.0].iter().for_each(|value| histogram.observe(*value));
        registry.register(Box::new(counters)).unwrap();
        registry.register(Box::new(gauge)).unwrap();
        registry.register(Box::new(histogram)).unwrap();

        let told = metrics(&registry.gather(), &resource(&[("service.name".into(), "berth".into())]), (1, 2));
        let resource = &told["resourceMetrics"][0];
        assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "berth");
        let metrics = &resource["scopeMetrics"][0]["metrics"];
        let sum = &metrics[0]["sum"];
        assert_eq!((sum["isMonotonic"].as_bool(), sum["aggregationTemporality"].as_u64()), (Some(true), Some(2)));
        let point = &sum["dataPoints"][0];
        assert_eq!((point["asDouble"].as_f64(), &point["startTimeUnixNano"]), (Some(3.0), &json!("1")));
        assert_eq!(point["attributes"], json!([{ "key": "class", "value": { "stringValue": "x" } }]));
        assert_eq!(metrics[1]["gauge"]["dataPoints"][0]["asDouble"], -2.0);
        let point = &metrics[2]["histogram"]["dataPoints"][0];
        assert_eq!((&point["bucketCounts"], &point["count"]), (&json!(["1", "2", "1"]), &json!("4")));
        assert_eq!((&point["explicitBounds"], point["sum"].as_f64()), (&json!([1.0, 2.0]), Some(12.7)));
    }
}

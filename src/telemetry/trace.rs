//! Which distributed trace a request belongs to.

/// The trace id, 32 lower-case hexadecimal digits, from the values of `traceparent` and `X-Cloud-Trace-Context`.
///
/// The standard's header wins; Google's load balancers send both. A malformed header is as good as none.
///
/// Source: <https://www.w3.org/TR/trace-context/#traceparent-header>, <https://cloud.google.com/trace/docs/trace-context>
///
/// # Example
/// ```
/// use berth::telemetry::trace::trace_id;
/// let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// assert_eq!(trace_id(Some(parent), None), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
/// ```
#[must_use]
pub fn trace_id<'a>(traceparent: Option<&'a str>, cloud_trace: Option<&'a str>) -> Option<&'a str> {
    traceparent.and_then(of_traceparent).or_else(|| cloud_trace.and_then(of_cloud_trace))
}

/// The caller's span, 16 lower-case hexadecimal digits, when the caller samples the trace; from the same header as the
/// trace's id.
#[must_use]
pub fn sampled_parent(traceparent: Option<&str>, cloud_trace: Option<&str>) -> Option<String> {
    match traceparent.filter(|value| of_traceparent(value).is_some()) {
        Some(value) => {
            let mut parts = value.trim().split('-').skip(2);
            let parent = parts.next().filter(|parent| parent.bytes().all(is_lower_hex))?;
            let flags = u8::from_str_radix(parts.next()?, 16).ok()?;
            (flags & 1 == 1).then(|| parent.to_owned())
        }
        None => {
            let value = cloud_trace.filter(|value| of_cloud_trace(value).is_some())?.trim();
            let (span, options) = value.split_once('/')?.1.split_once(';')?;
            let span: u64 = span.parse().ok()?;
            (options.trim() == "o=1").then(|| format!("{span:016x}"))
        }
    }
}

/// `version "-" trace-id "-" parent-id "-" flags`; later versions may append more.
fn of_traceparent(value: &str) -> Option<&str> {
    let mut parts = value.trim().split('-');
    let version = parts.next().filter(|version| version.len() == 2 && *version != "ff")?;
    if !version.bytes().all(is_lower_hex) {
        return None;
    }
    let trace = parts.next()?;
    parts.next().filter(|parent| parent.len() == 16)?;
    parts.next()?;
    Some(trace).filter(|trace| is_trace_id(trace))
}

/// `TRACE_ID/SPAN_ID;o=OPTIONS`, of which all but the first may be missing.
fn of_cloud_trace(value: &str) -> Option<&str> {
    let trace = value.trim().split(['/', ';']).next()?;
    Some(trace).filter(|trace| is_trace_id(trace))
}

fn is_trace_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(is_lower_hex) && text.bytes().any(|byte| byte != b'0')
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn the_standard_header_wins() {
        let parent = format!("00-{ID}-00f067aa0ba902b7-01");
        assert_eq!(trace_id(Some(&parent), Some("105445aa7843bc8bf206b12000100000/1;o=1")), Some(ID));
    }

    #[test]
    fn googles_header_is_understood() {
        assert_eq!(trace_id(None, Some(&format!("{ID}/123;o=1"))), Some(ID));
        assert_eq!(trace_id(Some("garbage"), Some(ID)), Some(ID));
    }

    #[test]
    fn only_a_sampled_trace_has_a_parent() {
        let parent = |flags| sampled_parent(Some(&format!("00-{ID}-00f067aa0ba902b7-{flags}")), None);
        assert_eq!(parent("01").as_deref(), Some("00f067aa0ba902b7"));
        assert_eq!((parent("00"), parent("zz")), (None, None));
        let cloud = |rest| sampled_parent(None, Some(&format!("{ID}{rest}")));
        assert_eq!(cloud("/255;o=1").as_deref(), Some("00000000000000ff"));
        for rest in ["/255;o=0", "/255", "", "/x;o=1"] {
            assert_eq!(cloud(rest), None, "{rest}");
        }
    }

    #[test]
    fn malformed_headers_are_as_good_as_none() {
        for value in [
            "",
            "00",
            "00-zz-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f0-01",
        ] {
            assert_eq!(trace_id(Some(value), Some(value)), None, "{value}");
        }
    }
}

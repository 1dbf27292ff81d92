//! Media types: what a sender takes and what a body is.

/// A media type berth knows by name, or any other by its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `*/*`, also the meaning of no `Accept` header.
    Any,
    /// `application/json`.
    Json,
    /// `application/vnd.pgrst.array+json`; with nulls left out when `nulls=stripped`.
    ArrayJson {
        /// Members that are null are left out.
        strip_nulls: bool,
    },
    /// `application/vnd.pgrst.object+json`: one row, as an object.
    ObjectJson {
        /// Members that are null are left out.
        strip_nulls: bool,
    },
    /// `application/geo+json`.
    GeoJson,
    /// `text/csv`.
    Csv,
    /// `text/plain`.
    Text,
    /// `text/xml`.
    Xml,
    /// `application/openapi+json`.
    OpenApi,
    /// `application/x-www-form-urlencoded`.
    UrlEncoded,
    /// `application/octet-stream`.
    OctetStream,
    /// `application/vnd.pgrst.plan`: how the engine would run it.
    Plan {
        /// The media type whose query is explained.
        of: Box<MediaType>,
        /// `+json` or `+text`.
        json: bool,
        /// `analyze`, `verbose`, `settings`, `buffers`, `wal`.
        options: Vec<String>,
    },
    /// Anything else, as sent (without parameters, lower case).
    Other(String),
}

impl MediaType {
    /// Reads one media type with its parameters.
    ///
    /// # Example
    /// ```
    /// use berth::request::MediaType;
    /// assert_eq!(MediaType::parse("application/json; charset=utf-8"), MediaType::Json);
    /// assert_eq!(
    ///     MediaType::parse("application/vnd.pgrst.object+json;nulls=stripped"),
    ///     MediaType::ObjectJson { strip_nulls: true }
    /// );
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let parameters: Vec<&str> = parts.collect();
        let strip_nulls = parameters.contains(&"nulls=stripped");
        match name.as_str() {
            "*/*" => Self::Any,
            "application/json" => Self::Json,
            "application/vnd.pgrst.array" | "application/vnd.pgrst.array+json" => Self::ArrayJson { strip_nulls },
            "application/vnd.pgrst.object" | "application/vnd.pgrst.object+json" => Self::ObjectJson { strip_nulls },
            "application/geo+json" => Self::GeoJson,
            "text/csv" => Self::Csv,
            "text/plain" => Self::Text,
            "text/xml" => Self::Xml,
            "application/openapi+json" => Self::OpenApi,
            "application/x-www-form-urlencoded" => Self::UrlEncoded,
            "application/octet-stream" => Self::OctetStream,
            "application/vnd.pgrst.plan" | "application/vnd.pgrst.plan+text" => Self::plan(&parameters, false),
            "application/vnd.pgrst.plan+json" => Self::plan(&parameters, true),
            _ => Self::Other(name),
        }
    }

    fn plan(parameters: &[&str], json: bool) -> Self {
        let value = |name: &str| parameters.iter().find_map(|parameter| parameter.strip_prefix(name));
        // A plan of a plan would be no plan: the type inside is read without its own parameters.
        let of = value("for=").map(|quoted| quoted.trim_matches('"'));
        let of = match of.map(Self::parse) {
            None | Some(Self::Plan { .. }) => Self::Json,
            Some(other) => other,
        };
        let options = value("options=").unwrap_or_default();
        let options = options.split('|').filter(|option| !option.is_empty()).map(str::to_owned).collect();
        Self::Plan { of: Box::new(of), json, options }
    }

    /// Reads an `Accept` header: best first, by quality, then by how much each says.
    #[must_use]
    pub(super) fn accepted(header: &str) -> Vec<Self> {
        let mut ranked: Vec<(u16, u8, Self)> = header
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                let quality = entry.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
                let quality = quality.map_or(1.0, |text| text.trim().parse().unwrap_or(0.0_f32)).clamp(0.0, 1.0);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
                let thousandths = (quality * 1_000.0) as u16;
                let specific = if entry.starts_with("*/*") {
                    0
                } else if entry.contains("/*") {
                    1
                } else {
                    2
                };
                (thousandths, specific, Self::parse(entry))
            })
            .collect();
        ranked.sort_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)));
        if ranked.is_empty() { vec![Self::Any] } else { ranked.into_iter().map(|(_, _, media)| media).collect() }
    }

    /// The type without parameters but those that are part of its meaning, e.g. `text/csv`.
    #[must_use]
    pub fn name(&self) -> String {
        let stripped = |strip: bool| if strip { ";nulls=stripped" } else { "" };
        match self {
            Self::Any => "*/*".to_owned(),
            Self::Json => "application/json".to_owned(),
            Self::ArrayJson { strip_nulls } => format!("application/vnd.pgrst.array+json{}", stripped(*strip_nulls)),
            Self::ObjectJson { strip_nulls } => format!("application/vnd.pgrst.object+json{}", stripped(*strip_nulls)),
            Self::GeoJson => "application/geo+json".to_owned(),
            Self::Csv => "text/csv".to_owned(),
            Self::Text => "text/plain".to_owned(),
            Self::Xml => "text/xml".to_owned(),
            Self::OpenApi => "application/openapi+json".to_owned(),
            Self::UrlEncoded => "application/x-www-form-urlencoded".to_owned(),
            Self::OctetStream => "application/octet-stream".to_owned(),
            Self::Plan { of, json, options } => {
                let form = if *json { "json" } else { "text" };
                let options = if options.is_empty() { String::new() } else { format!(";options={}", options.join("|")) };
                format!("application/vnd.pgrst.plan+{form};for=\"{}\"{options}", of.name())
            }
            Self::Other(name) => name.clone(),
        }
    }

    /// The value of `Content-Type`.
    #[must_use]
    pub fn content_type(&self) -> String {
        match self {
            Self::Json | Self::Any => "application/json; charset=utf-8".to_owned(),
            Self::OctetStream | Self::Other(_) => self.name(),
            Self::ArrayJson { .. }
            | Self::ObjectJson { .. }
            | Self::GeoJson
            | Self::Csv
            | Self::Text
            | Self::Xml
            | Self::OpenApi
            | Self::UrlEncoded
            | Self::Plan { .. } => format!("{}; charset=utf-8", self.name()),
        }
    }
}

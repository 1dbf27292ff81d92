//! Where the process runs, as far as the platform itself says so.
//!
//! Sources: <https://knative.dev/docs/serving/>, <https://cloud.google.com/run/docs/container-contract>,
//! <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>,
//! <https://learn.microsoft.com/azure/container-apps/environment-variables>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html>,
//! <https://fly.io/docs/machines/runtime-environment/>.

use std::collections::BTreeMap;

/// Variables that a platform sets, those that say more first.
const SIGNS: [(&str, &str); 5] = [
    ("K_SERVICE", "Knative or Cloud Run"),
    ("CONTAINER_APP_NAME", "Azure Container Apps"),
    ("FLY_APP_NAME", "Fly.io"),
    ("ECS_CONTAINER_METADATA_URI_V4", "Amazon ECS"),
    ("KUBERNETES_SERVICE_HOST", "Kubernetes"),
];

/// The platform's name; `None` on a host of one's own.
pub(super) fn of(environment: &BTreeMap<String, String>) -> Option<&'static str> {
    SIGNS.iter().find(|(variable, _)| environment.contains_key(*variable)).map(|(_, platform)| *platform)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_known_by_what_it_sets() {
        let typed = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        assert_eq!(of(&typed(&["KUBERNETES_SERVICE_HOST", "K_SERVICE"])), Some("Knative or Cloud Run"));
        assert_eq!(of(&typed(&["KUBERNETES_SERVICE_HOST"])), Some("Kubernetes"));
        assert_eq!(of(&typed(&["HOME"])), None);
    }
}

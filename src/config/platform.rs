//! Where the process runs, as far as the platform itself says so.
//!
//! Sources: <https://knative.dev/docs/serving/>, <https://cloud.google.com/run/docs/container-contract>,
//! <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>,
//! <https://learn.microsoft.com/azure/container-apps/environment-variables>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html>,
//! <https://fly.io/docs/machines/runtime-environment/>.

/// Variables that a platform sets, those that say more first.
const SIGNS: [(&str, &str); 5] = [
    ("K_SERVICE", "Knative or Cloud Run"),
    ("CONTAINER_APP_NAME", "Azure Container Apps"),
    ("FLY_APP_NAME", "Fly.io"),
    ("ECS_CONTAINER_METADATA_URI_V4", "Amazon ECS"),
    ("KUBERNETES_SERVICE_HOST", "Kubernetes"),
];

/// The platform's name; `None` on a host of one's own.
#[must_use]
pub fn of(environment: &[(String, String)]) -> Option<&'static str> {
    let is_set = |name: &str| environment.iter().any(|(variable, _)| variable == name);
    SIGNS.iter().find(|(variable, _)| is_set(variable)).map(|(_, platform)| *platform)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_known_by_what_it_sets() {
        let typed = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect::<Vec<_>>();
        assert_eq!(of(&typed(&["KUBERNETES_SERVICE_HOST", "K_SERVICE"])), Some("Knative or Cloud Run"));
        assert_eq!(of(&typed(&["KUBERNETES_SERVICE_HOST"])), Some("Kubernetes"));
        assert_eq!(of(&typed(&["HOME"])), None);
    }
}

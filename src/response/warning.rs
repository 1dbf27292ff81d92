//! `Warning`: what works now and will not for ever.
//!
//! Source: RFC 7234, section 5.5; PostgREST's `url-use-legacy-target-names`.

use super::location::encode_path;
use crate::plan::ReadNode;

/// Most resources that one answer warns of.
const WARNED_MAX: usize = 8;

/// Most characters of a name that are told; Postgres has no longer names.
const NAME_MAX: usize = 63;

/// Warns of embedded resources that are named by their relation in spite of their alias.
///
/// What a header cannot hold of a name is percent-encoded.
pub(super) fn of(node: &ReadNode) -> Option<String> {
    let mut renamed = Vec::new();
    add_renamed(node, &mut renamed);
    let told = |name: &str| encode_path(&name.chars().take(NAME_MAX).collect::<String>());
    let told = |(name, alias): &(&str, &str)| format!("`{}` to `{}`", told(name), told(alias));
    let renamed: Vec<String> = renamed.iter().take(WARNED_MAX).map(told).collect();
    (!renamed.is_empty()).then(|| {
        format!(
            "299 berth \"Embedded resource was referenced by relation name even though it has an alias. This is \
             deprecated and will stop working in a future release. Update {} in query string filters, orders or limits.\"",
            renamed.join(", ")
        )
    })
}

/// Calls itself for what is embedded; planning has bounded the depth.
fn add_renamed<'a>(node: &'a ReadNode, renamed: &mut Vec<(&'a str, &'a str)>) {
    for embed in &node.embeds {
        renamed.extend(embed.alias_of.as_deref().map(|name| (name, embed.name.as_str())));
        add_renamed(&embed.node, renamed);
    }
}

//! Namespaces.

use serde_json::Value;

use super::Related;
use super::text::{Text, plain};
use crate::features::kubernetes::object::{self, text};

/// A namespace with its quotas.
pub fn namespace(live: &Value, related: &Related) -> String {
    let mut out = Text::default();
    out.field(0, "Name", object::name(live));
    out.map(0, "Labels", live.pointer("/metadata/labels"), "=");
    out.annotations(0, "Annotations", live.pointer("/metadata/annotations"));
    out.field(0, "Status", text(live, "/status/phase"));
    if related.quotas.is_empty() {
        out.line(0, "");
        out.line(0, "No resource quota.");
    } else {
        out.line(0, "");
        out.line(0, "Resource Quotas");
    }
    for quota in &related.quotas {
        out.field(1, "Name", object::name(quota));
        out.line(1, "Resource\tUsed\tHard");
        out.line(1, "--------\t---\t---");
        let mut amounts: Vec<(&String, &Value)> = object::map(quota, "/status/hard").into_iter().flatten().collect();
        amounts.sort_by_key(|(name, _)| *name);
        for (name, hard) in amounts {
            out.line(
                1,
                &format!(
                    "{name}\t{}\t{}",
                    plain(&quota["status"]["used"][name.as_str()]),
                    plain(hard)
                ),
            );
        }
    }
    out.line(0, "");
    match related.limit_ranges.len() {
        0 => out.line(0, "No LimitRange resource."),
        count => out.field(0, "LimitRange resources", count.to_string()),
    }
    out.finish()
}

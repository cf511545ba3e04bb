//! `kubectl:api-resources`: which types of objects the server serves.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::common::{BUNDLE, READ, header, no_headers_option, until_stopped};
use crate::core::report::Report;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::discovery::Resource;
use crate::features::kubernetes::error::usage;
use crate::verb::declaration::{Declaration, OptionKind, OptionSpec};
use crate::verb::{Call, Input, InputMode, Output, Read, Verb, View};

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = Declaration::new(BUNDLE, "api-resources", "Show the types the server serves")
        .permission(READ)
        .input(InputMode::None)
        .options([
            OptionSpec::new("api-group", OptionKind::String, "Only this group; empty: the core").value_name("group"),
            OptionSpec::new(
                "namespaced",
                OptionKind::Enum(&["true", "false"]),
                "Only types that lie in namespaces, or that do not",
            ),
            OptionSpec::new("verbs", OptionKind::List, "Only types that take all these API verbs").value_name("verbs"),
            OptionSpec::new("categories", OptionKind::List, "Only types of all these categories")
                .value_name("categories"),
            OptionSpec::new("output", OptionKind::String, "wide or name")
                .short('o')
                .value_name("format")
                .values(&["wide", "name"]),
            OptionSpec::new("sort-by", OptionKind::String, "name or kind; by group when not given")
                .value_name("field")
                .values(&["name", "kind"]),
            no_headers_option(),
        ])
        .output("{name, short_names, api_version, namespaced, kind, verbs, categories}, one a type.")
        .example("kubectl:api-resources", "everything there is")
        .example(
            "kubectl:api-resources --api-group=apps -o name",
            "the names of one group",
        );
    Verb::read(
        declaration,
        ApiResources {
            clients: clients.clone(),
        },
    )
}

struct ApiResources {
    clients: Arc<Clients>,
}

#[async_trait]
impl Read for ApiResources {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, self.show(call, output)).await
    }
}

impl ApiResources {
    async fn show(&self, call: &Call, output: &Output) -> Result<(), Report> {
        let format = call.arguments.text("output").unwrap_or_default();
        if !matches!(format.as_str(), "" | "wide" | "name") {
            return Err(
                usage(format!("--output {format} is not available")).hint("wide or name; pipe into jq for more")
            );
        }
        let session = self.clients.session(&call.context).await?;
        let discovery = session.cluster.rediscover().await?;
        let mut found: Vec<Arc<Resource>> = discovery.preferred().filter(|one| wanted(call, one)).cloned().collect();
        sort(&mut found, call.arguments.text("sort-by").as_deref())?;
        let columns = [
            "NAME",
            "SHORTNAMES",
            "APIVERSION",
            "NAMESPACED",
            "KIND",
            "VERBS",
            "CATEGORIES",
        ];
        let header = header(call, columns.into_iter().take(if format == "wide" { 7 } else { 5 }));
        for resource in found {
            let record = json!({
                "name": resource.plural, "short_names": resource.short_names, "api_version": resource.api_version(),
                "namespaced": resource.namespaced, "kind": resource.kind, "verbs": resource.verbs,
                "categories": resource.categories,
            });
            let view = if format == "name" {
                View::Text(resource.group_resource())
            } else {
                View::row(&header, cells(&resource, format == "wide"))
            };
            output.emit_as(record, view).await?;
        }
        Ok(())
    }
}

fn wanted(call: &Call, resource: &Resource) -> bool {
    let namespaced = call.arguments.text("namespaced").map(|text| text == "true");
    let group = call.arguments.text("api-group");
    let has_all = |wanted: Vec<String>, have: &[String]| wanted.iter().all(|one| have.contains(one));
    namespaced.is_none_or(|wanted| wanted == resource.namespaced)
        && group.is_none_or(|group| group == resource.group)
        && has_all(call.arguments.list("verbs"), &resource.verbs)
        && has_all(call.arguments.list("categories"), &resource.categories)
}

fn sort(found: &mut [Arc<Resource>], by: Option<&str>) -> Result<(), Report> {
    match by {
        None | Some("") => found.sort_by(|a, b| (&a.group, &a.plural).cmp(&(&b.group, &b.plural))),
        Some("name") => found.sort_by(|a, b| a.plural.cmp(&b.plural)),
        Some("kind") => found.sort_by(|a, b| a.kind.cmp(&b.kind)),
        Some(_) => return Err(usage("--sort-by accepts only name or kind")),
    }
    Ok(())
}

fn cells(resource: &Resource, wide: bool) -> Vec<String> {
    let mut cells = vec![
        resource.plural.clone(),
        resource.short_names.join(","),
        resource.api_version(),
        resource.namespaced.to_string(),
        resource.kind.clone(),
    ];
    if wide {
        cells.extend([resource.verbs.join(","), resource.categories.join(",")]);
    }
    cells
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::call;
    use super::*;

    #[test]
    fn filters_and_orders() {
        let one = |group: &str, plural: &str, kind: &str| {
            Arc::new(Resource {
                group: group.into(),
                plural: plural.into(),
                kind: kind.into(),
                namespaced: true,
                verbs: vec!["get".into()],
                ..Resource::default()
            })
        };
        let mut found = vec![one("b", "x", "A"), one("", "z", "C"), one("b", "a", "B")];
        sort(&mut found, None).unwrap();
        let names: Vec<&str> = found.iter().map(|r| r.plural.as_str()).collect();
        assert_eq!(names, ["z", "a", "x"]);
        assert!(sort(&mut found, Some("x")).is_err());
        let fits = |options| wanted(&call(&[], options), &found[0]);
        assert!(fits(json!({"verbs": ["get"], "api-group": ""})) && !fits(json!({"namespaced": "false"})));
        assert!(!fits(json!({"verbs": ["get", "list"]})));
    }
}

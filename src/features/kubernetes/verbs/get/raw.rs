//! `kubectl:get --raw`: the server's answer to any address of it, as it is.

use std::sync::Arc;

use serde_json::Value;

use crate::core::report::Report;
use crate::features::kubernetes::client::{Clients, JSON};
use crate::features::kubernetes::error::{REFUSED_BY_SERVER, usage};
use crate::verb::{Call, Output, View};

/// The longest answer that is shown (bytes): what one manifest may be long.
const LONGEST: usize = 16 * 1024 * 1024;

/// Options that change nothing, here or anywhere.
const WITHOUT_EFFECT: [&str; 3] = ["raw", "chunk-size", "show-all"];

/// Shows it. Everything else on the line would mean nothing, and is refused.
pub(super) async fn show(call: &Call, clients: &Arc<Clients>, path: &str, output: &Output) -> Result<(), Report> {
    alone(call)?;
    if !path.starts_with('/') {
        let message = format!("--raw must be a valid URL path: parse \"{path}\": invalid URI for request");
        return Err(usage(message).hint("for example: --raw /api/v1/namespaces"));
    }
    if let Some(verb) = endless(path) {
        let message = format!("--raw shows an answer when it is complete, and {path} has no end");
        return Err(usage(message).hint(format!("use {verb}")));
    }
    let session = clients.session(&call.context).await?;
    let cluster = &session.cluster;
    let text = cluster.get_bounded(path, JSON, LONGEST).await;
    let text = text.map_err(|error| cluster.report(&error))?.ok_or_else(|| {
        let most = LONGEST / 1024 / 1024;
        Report::failed(
            REFUSED_BY_SERVER,
            format!("the answer to {path} is longer than {most} MiB"),
        )
        .hint("ask for less: a query such as '?limit=500' in the path, or a longer path")
    })?;
    let record = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone()));
    output.emit_as(record, View::Raw(text)).await
}

/// The verb that shows what goes on, where the path asks the server not to end.
fn endless(path: &str) -> Option<&'static str> {
    let (_, query) = path.split_once('?')?;
    let set = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => (!["false", "0"].contains(&value)).then(|| name.to_owned()),
        None => Some(pair.to_owned()),
    };
    query.split('&').filter_map(set).find_map(|name| match name.as_str() {
        "watch" => Some("kubectl:get -w"),
        "follow" => Some("kubectl:logs -f"),
        _ => None,
    })
}

fn alone(call: &Call) -> Result<(), Report> {
    let given = |name: &&String| {
        let value = call.arguments.options.get(*name);
        !WITHOUT_EFFECT.contains(&name.as_str())
            && !matches!(value, None | Some(Value::Null | Value::Bool(false)))
            && value != Some(&Value::Array(Vec::new()))
    };
    let options: Vec<&String> = call.arguments.options.keys().filter(given).collect();
    if !call.arguments.positionals.is_empty() || options.iter().any(|name| *name == "filename") {
        return Err(usage("arguments may not be passed when --raw is specified"));
    }
    if options.iter().any(|name| *name == "output") {
        return Err(usage("--raw and --output are mutually exclusive"));
    }
    let Some(first) = options.first() else { return Ok(()) };
    let words = "--raw may not be specified with other flags that filter the server request or alter the output";
    Err(usage(words).hint(format!("leave out --{first}: the path says it all")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::super::super::testing::call;
    use super::*;

    #[test]
    fn what_has_no_end_is_told_from_what_has() {
        assert_eq!(endless("/api/v1/pods?limit=1&watch=true"), Some("kubectl:get -w"));
        assert_eq!(
            endless("/api/v1/namespaces/a/pods/b/log?follow=1"),
            Some("kubectl:logs -f")
        );
        assert_eq!(endless("/api/v1/pods?watch"), Some("kubectl:get -w"));
        for finite in [
            "/api/v1/pods",
            "/api/v1/pods?watch=false",
            "/watch=true",
            "/a?labelSelector=watch",
        ] {
            assert_eq!(endless(finite), None, "{finite}");
        }
    }

    #[test]
    fn every_option_beside_it_is_named() {
        let of = |words: &[&str], options: Value| alone(&call(words, options)).err();
        let harmless = json!({"raw": "/x", "chunk-size": 500, "watch": false, "label-columns": []});
        assert!(of(&[], harmless).is_none());
        for option in ["namespace", "selector", "sort-by", "field-selector"] {
            let report = of(&[], json!({"raw": "/x", option: "a"})).unwrap();
            assert!(report.hint.unwrap().contains(&format!("--{option}")), "{option}");
        }
        assert!(of(&[], json!({"raw": "/x", "all-namespaces": true})).is_some());
        assert!(
            of(&["pods"], json!({"raw": "/x"}))
                .unwrap()
                .message
                .starts_with("arguments")
        );
    }
}

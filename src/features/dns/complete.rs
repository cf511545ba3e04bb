//! Completes what `dig` asks for: names that others know of (records of the zones, hosts of load balancers), then types.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;

use super::verbs::dig::TYPES;
use crate::verb::{Candidate, Completer, CompletionRequest};

/// Asks all of these for names.
pub(super) struct Names(pub(super) Vec<Arc<dyn Completer>>);

#[async_trait]
impl Completer for Names {
    async fn complete(&self, request: CompletionRequest) -> Vec<Candidate> {
        // A server and dig's own switches are written among them.
        let named = request.positionals.iter().any(|word| !word.starts_with(['+', '@']));
        match request.option.as_deref() {
            Some("type") => return types(&request.prefix),
            Some(_) => return Vec::new(),
            None if named => return types(&request.prefix),
            None => {}
        }
        // They are asked for any name, whatever else stands on this line.
        let request = CompletionRequest {
            positionals: Vec::new(),
            options: BTreeMap::new(),
            ..request
        };
        let answers = join_all(self.0.iter().map(|names| names.complete(request.clone()))).await;
        let mut found: Vec<Candidate> = Vec::new();
        for candidate in answers.into_iter().flatten() {
            if !found.iter().any(|known| known.value == candidate.value) {
                found.push(candidate);
            }
        }
        found
    }
}

fn types(prefix: &str) -> Vec<Candidate> {
    let prefix = prefix.to_uppercase();
    let types = TYPES.iter().filter(|kind| kind.starts_with(&prefix));
    types
        .map(|kind| Candidate {
            value: (*kind).to_owned(),
            note: "record type".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::context::Context;

    struct Knows(&'static [&'static str]);

    #[async_trait]
    impl Completer for Knows {
        async fn complete(&self, request: CompletionRequest) -> Vec<Candidate> {
            assert!(request.positionals.is_empty() && request.option.is_none());
            let known = self.0.iter().filter(|name| name.starts_with(&request.prefix));
            known
                .map(|name| Candidate {
                    value: (*name).to_owned(),
                    note: String::new(),
                })
                .collect()
        }
    }

    async fn offered(words: &[&str], option: Option<&str>, prefix: &str) -> Vec<String> {
        let names = Names(vec![
            Arc::new(Knows(&["inspector.spawnhub.com", "spawnhub.com"])),
            Arc::new(Knows(&["spawnhub.com", "a1.elb.example"])),
        ]);
        let request = CompletionRequest {
            context: Arc::new(Context::empty("test")),
            positionals: words.iter().map(|word| (*word).to_owned()).collect(),
            options: BTreeMap::from([("type".to_owned(), "CNAME".to_owned())]),
            option: option.map(str::to_owned),
            prefix: prefix.to_owned(),
        };
        let found = names.complete(request).await;
        found.into_iter().map(|candidate| candidate.value).collect()
    }

    #[tokio::test]
    async fn names_come_from_all_and_once_then_types() {
        let all = ["inspector.spawnhub.com", "spawnhub.com", "a1.elb.example"];
        assert_eq!(offered(&[], None, "").await, all);
        assert_eq!(offered(&["@127.0.0.1:53", "+short"], None, "insp").await, all[..1]);
        assert_eq!(offered(&["spawnhub.com"], None, "cn").await, ["CNAME"]);
        assert_eq!(offered(&[], Some("type"), "NA").await, ["NAPTR"]);
        assert_eq!(offered(&[], Some("reverse"), "").await, [""; 0]);
    }
}

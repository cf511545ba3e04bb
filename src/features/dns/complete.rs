//! Completes what `dig` asks for: names that others know of (records of the zones, hosts of load balancers), then types.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;

use super::verbs::dig::TYPES;
use crate::verb::{Candidate, Completer, Completion, CompletionRequest};

/// Asks all of these for names.
pub(super) struct Names(pub(super) Vec<Arc<dyn Completer>>);

#[async_trait]
impl Completer for Names {
    async fn complete(&self, request: CompletionRequest) -> Completion {
        // A server and dig's own switches are written among them.
        let named = request.positionals.iter().any(|word| !word.starts_with(['+', '@']));
        match request.option.as_deref() {
            Some("type") => return types(&request.prefix).into(),
            Some(_) => return Completion::default(),
            None if named => return types(&request.prefix).into(),
            None => {}
        }
        // They are asked for any name, whatever else stands on this line.
        let request = CompletionRequest {
            positionals: Vec::new(),
            options: BTreeMap::new(),
            ..request
        };
        let answers = join_all(self.0.iter().map(|names| names.complete(request.clone()))).await;
        answers.into_iter().reduce(Completion::and).unwrap_or_default()
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
        async fn complete(&self, request: CompletionRequest) -> Completion {
            assert!(request.positionals.is_empty() && request.option.is_none());
            let known = self.0.iter().filter(|name| name.starts_with(&request.prefix));
            let found: Vec<Candidate> = known
                .map(|name| Candidate {
                    value: (*name).to_owned(),
                    note: String::new(),
                })
                .collect();
            found.into()
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
        found.candidates.into_iter().map(|candidate| candidate.value).collect()
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

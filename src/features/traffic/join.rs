//! Joining an answer with the cluster's pods: an address or a pod's name somewhere in the body.

use std::net::Ipv4Addr;
use std::sync::{Arc, LazyLock};

use futures::future::BoxFuture;
use regex::Regex;

use crate::core::context::Context;
use crate::features::kubernetes::model::PodRow;
use crate::feed::Subscription;

/// Opens the feed of the pods that a context's requests may reach; none where the context has no cluster.
pub type OpenPods = Arc<dyn Fn(&Arc<Context>) -> BoxFuture<'static, Option<Subscription<PodRow>>> + Send + Sync>;

/// The pods at this moment.
pub trait PodIndex: Send + Sync {
    /// The pod with this address.
    fn at_address(&self, address: Ipv4Addr) -> Option<PodSeen>;
    /// The pod of this name.
    fn named(&self, name: &str) -> Option<PodSeen>;
}

impl PodIndex for Subscription<PodRow> {
    fn at_address(&self, address: Ipv4Addr) -> Option<PodSeen> {
        let address = address.to_string();
        self.source()
            .read(|rows, _| rows.iter().find(|(_, pod)| pod.ip == address).map(|(_, pod)| seen(pod)))
    }

    fn named(&self, name: &str) -> Option<PodSeen> {
        self.source()
            .read(|rows, _| rows.iter().find(|(_, pod)| pod.name == name).map(|(_, pod)| seen(pod)))
    }
}

fn seen(pod: &PodRow) -> PodSeen {
    PodSeen {
        name: pod.name.clone(),
        version: (!pod.version.is_empty()).then(|| pod.version.to_string()),
    }
}

/// What is known of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSeen {
    /// Its name.
    pub name: String,
    /// Its version (the image's tag).
    pub version: Option<String>,
}

// Patterns of ours, known to compile; an Option keeps the lint wall free of an exception.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b\d{1,3}(?:\.\d{1,3}){3}\b").ok());
static POD_NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b[a-z0-9](?:[a-z0-9.-]{0,240})-[a-z0-9]{5}\b").ok());
static VERSION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)version\D{0,24}(\d+(?:\.\d+)+[\w.-]*)").ok());

/// The pod that answered: what matched is asked first, then the body.
pub fn pod(index: &dyn PodIndex, matched: Option<&str>, body: &str) -> Option<PodSeen> {
    [matched.unwrap_or_default(), body]
        .into_iter()
        .find_map(|text| pod_in(index, text))
}

fn pod_in(index: &dyn PodIndex, text: &str) -> Option<PodSeen> {
    let addresses = ADDRESS.iter().flat_map(|pattern| pattern.find_iter(text));
    let by_address = addresses
        .filter_map(|m| m.as_str().parse().ok())
        .find_map(|ip| index.at_address(ip));
    by_address.or_else(|| {
        let mut names = POD_NAME.iter().flat_map(|pattern| pattern.find_iter(text));
        names.find_map(|m| index.named(m.as_str()))
    })
}

/// A version that the answer itself tells: `Version: Inspector 1.0.0`.
pub fn version_in(text: &str) -> Option<String> {
    let captures = VERSION.as_ref()?.captures(text)?;
    captures.get(1).map(|version| version.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;
    impl PodIndex for Two {
        fn at_address(&self, address: Ipv4Addr) -> Option<PodSeen> {
            (address == Ipv4Addr::new(100, 96, 1, 4)).then(|| PodSeen {
                name: "web-1".into(),
                version: Some("1.0.0".into()),
            })
        }
        fn named(&self, name: &str) -> Option<PodSeen> {
            (name == "inspector-6c9f-k2xzp").then(|| PodSeen {
                name: name.into(),
                version: None,
            })
        }
    }

    #[test]
    fn an_address_or_a_name_in_the_answer_leads_to_the_pod() {
        assert_eq!(
            pod(&Two, None, "<td>127.0.0.1/8</td><td>100.96.1.4/24</td>")
                .unwrap()
                .name,
            "web-1"
        );
        assert_eq!(
            pod(&Two, None, "HOSTNAME=inspector-6c9f-k2xzp\n").unwrap().name,
            "inspector-6c9f-k2xzp"
        );
        assert_eq!(pod(&Two, None, "999.1.2.3 nothing-here"), None);
    }

    #[test]
    fn the_answer_may_tell_its_version() {
        assert_eq!(version_in("<p>Version: Inspector 2.0.0</p>").as_deref(), Some("2.0.0"));
        assert_eq!(version_in("HTTP/1.1 and 10.0.0.1"), None);
    }
}

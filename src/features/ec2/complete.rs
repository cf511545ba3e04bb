//! Completion of search filters: EC2's filter names, and the values that the instances in the feed have.

use std::time::Duration;

use async_trait::async_trait;

use super::model::InstanceRow;
use super::{Service, feed};
use crate::verb::{Candidate, Completer, Completion, CompletionRequest};

/// A first answer may take this long; later ones are there already.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Filter names an operator is likely to want (EC2 API reference, DescribeInstances).
const NAMES: [(&str, &str); 16] = [
    ("tag:Name=", "the tag Name"),
    ("tag:KubernetesCluster=", "the tag KubernetesCluster"),
    ("tag-key=", "has a tag of this name"),
    (
        "instance-state-name=",
        "pending running shutting-down terminated stopping stopped",
    ),
    ("instance-type=", "such as m4.large"),
    ("instance-id=", "such as i-0123456789abcdef0"),
    ("availability-zone=", "such as ap-southeast-2a"),
    ("private-ip-address=", "private address"),
    ("ip-address=", "public address"),
    ("private-dns-name=", "private host name"),
    ("dns-name=", "public host name"),
    ("image-id=", "such as ami-…"),
    ("key-name=", "key pair"),
    ("vpc-id=", "VPC"),
    ("subnet-id=", "subnet"),
    ("instance.group-name=", "security group"),
];

/// The completer of the bundle's searches.
pub struct InstanceCompleter {
    service: Service,
}

impl InstanceCompleter {
    /// Starts no feed before it is asked.
    pub(super) fn new(service: Service) -> Self {
        InstanceCompleter { service }
    }
}

#[async_trait]
impl Completer for InstanceCompleter {
    async fn complete(&self, request: CompletionRequest) -> Completion {
        if request.option.is_some() {
            return Completion::default();
        }
        let feed = feed::subscribe(&self.service, &request.context);
        // Names are known without any answer. Without one in time there are only they; the feed goes on for the next try.
        if of_instances(&request.prefix) {
            feed.source().first_within(PATIENCE).await;
        }
        feed.source().read(|rows, health| {
            let rows: Vec<&InstanceRow> = rows.iter().map(|(_, row)| row).collect();
            let trouble = health.trouble().filter(|_| of_instances(&request.prefix));
            Completion {
                why: trouble.map(|trouble| format!("instances: {trouble}")),
                ..candidates(&rows, &request.prefix).into()
            }
        })
    }
}

/// Whether only the instances know how this goes on.
fn of_instances(prefix: &str) -> bool {
    prefix.starts_with("tag:") || prefix.contains('=')
}

fn candidates(rows: &[&InstanceRow], prefix: &str) -> Vec<Candidate> {
    let Some((name, _)) = prefix.split_once('=') else {
        let names = NAMES
            .iter()
            .map(|(name, note)| ((*name).to_owned(), (*note).to_owned()));
        let tags = rows.iter().flat_map(|row| &row.tags);
        let tags = tags.map(|(tag, _)| (format!("tag:{tag}="), format!("the tag {tag}")));
        return offered(names.chain(tags), prefix);
    };
    let values = rows.iter().filter_map(|row| {
        let value = match name {
            "instance-state-name" => &row.state,
            "instance-type" => &row.kind,
            "instance-id" => &row.id,
            "availability-zone" => &row.zone,
            "private-ip-address" => &row.private_ip,
            "ip-address" => &row.public_ip,
            "private-dns-name" => &row.private_dns,
            _ => {
                let tag = name.strip_prefix("tag:")?;
                &row.tags.iter().find(|(known, _)| known == tag)?.1
            }
        };
        (!value.is_empty()).then(|| (format!("{name}={value}"), row.name.clone()))
    });
    offered(values, prefix)
}

fn offered(all: impl Iterator<Item = (String, String)>, prefix: &str) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for (value, note) in all.filter(|(value, _)| value.starts_with(prefix)) {
        if !found.iter().any(|known| known.value == value) {
            found.push(Candidate { value, note });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_values_are_those_of_the_instances() {
        let row = InstanceRow {
            id: "i-1".into(),
            name: "nodes".into(),
            tags: vec![
                ("KubernetesCluster".into(), "staging".into()),
                ("Team".into(), "web".into()),
            ],
            ..InstanceRow::default()
        };
        let offers = |prefix: &str| -> Vec<String> {
            let found = candidates(&[&row], prefix);
            found.into_iter().map(|candidate| candidate.value).collect()
        };
        for (prefix, waits) in [("", false), ("insta", false), ("tag:", true), ("instance-id=", true)] {
            assert_eq!(of_instances(prefix), waits, "{prefix}");
        }
        assert_eq!(offers("tag:K"), ["tag:KubernetesCluster="]);
        assert_eq!(offers("tag:T"), ["tag:Team="]);
        assert_eq!(offers("tag:KubernetesCluster=s"), ["tag:KubernetesCluster=staging"]);
        assert_eq!(offers("instance-id="), ["instance-id=i-1"]);
        assert_eq!(offers("instance-type="), [""; 0]);
        assert_eq!(offers("tag:None="), [""; 0]);
    }

    #[test]
    fn each_value_is_offered_once() {
        let all = [("a=1", "x"), ("a=1", "y"), ("a=2", "z"), ("b=1", "")];
        let found = offered(
            all.iter()
                .map(|(value, note)| ((*value).to_owned(), (*note).to_owned())),
            "a=",
        );
        let values: Vec<&str> = found.iter().map(|candidate| candidate.value.as_str()).collect();
        assert_eq!(values, ["a=1", "a=2"]);
    }
}

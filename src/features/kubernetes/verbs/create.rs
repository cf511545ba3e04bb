//! `kubectl:create -f`: objects of manifests that must not be there yet. `create deployment` is a verb of its own.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::common::{NO_KUSTOMIZE, WRITE, declare, record_option};
use super::dry_run::dry_run;
use super::mutation::{self, must_not_exist};
use super::run::creation;
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::features::kubernetes::client::Clients;
use crate::features::kubernetes::documents;
use crate::features::kubernetes::error::{self, usage};
use crate::verb::{Call, Mutate, Output, Verb};

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("create", "Create the objects of manifests")
        .description(
            "Each object must be new; apply changes those that are there too. Of what kubectl makes without a manifest \
             there is create deployment.",
        )
        .permission(WRITE)
        .risk(Risk::Change)
        .without(NO_KUSTOMIZE)
        .option(record_option())
        .options(documents::options())
        .output("{kind, name, namespace, action, message}, one an object.")
        .example("kubectl:create -f deploy.yaml", "what the file says, where it is new");
    Verb::mutate(
        dry_run(declaration),
        Create {
            clients: clients.clone(),
        },
    )
}

struct Create {
    clients: Arc<Clients>,
}

#[async_trait]
impl Mutate for Create {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        if call.arguments.list("filename").is_empty() {
            return Err(usage("must specify one of -f and -k").hint("-f FILE, or -f - for the incoming record"));
        }
        let documents = documents::of(call).await?;
        if documents.is_empty() {
            return Err(usage("no objects passed to create"));
        }
        let session = self.clients.planning(call).await?;
        let (mut changes, mut failures) = (Vec::new(), Vec::new());
        for document in documents {
            let target = documents::target(call, &session, &document).await?;
            match must_not_exist(call, &session, &target).await {
                Ok(()) => changes.push(creation(call, &target, document.object)?),
                Err(mut report) if report.code == error::CONFLICT => {
                    let place = format!("(AlreadyExists): error when creating \"{}\":", document.source);
                    report.message = report.message.replacen("(AlreadyExists):", &place, 1);
                    failures.push(report.hint("nothing was created; kubectl:apply changes what is there"));
                }
                Err(report) => return Err(report),
            }
        }
        error::all(failures).map_or(Ok(changes), Err)
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let made = mutation::apply(call, &self.clients, change, |_| Value::Null, output);
        made.await.map(|_| ())
    }
}

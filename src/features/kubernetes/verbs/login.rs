//! `kubectl:login`: logs in to the cluster of the context again, without leaving the console. The credential plugin of
//! the kubeconfig's user gets the terminal meanwhile; feeds that wait for a login go on at once.

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::common::{BUNDLE, READ, say};
use crate::core::report::Report;
use crate::features::kubernetes::client::{Asking, Clients, JSON, Session};
use crate::features::kubernetes::error::{self, UNAUTHORIZED};
use crate::features::kubernetes::object::text;
use crate::feed::health::human_duration;
use crate::verb::declaration::Declaration;
use crate::verb::{Call, Input, InputMode, Output, Read, Verb};

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = Declaration::new(BUNDLE, "login", "Log in to the cluster again")
        .once()
        .permission(READ)
        .input(InputMode::None)
        .output("{server, user, expires, message}; expires null: nobody said when.")
        .notes(
            "Runs the credential plugin of the kubeconfig's user with the terminal, so that it may ask; without a plugin \
             the kubeconfig is read again, where somebody may have put a new token. Panels that show `login` go on at \
             once. Without a terminal the plugin is run in a shell of yours instead.",
        )
        .example("kubectl:login", "when the panels show login");
    Verb::read(
        declaration,
        Login {
            clients: clients.clone(),
        },
    )
}

struct Login {
    clients: Arc<Clients>,
}

#[async_trait]
impl Read for Login {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        // Before the terminal is given away: a plugin that runs is waited for.
        let login = self.clients.login(&call.context).await?;
        if login.may_ask().await? && call.operator.has_terminal() {
            let work = async move { login.run(Asking::Person).await.map(|_| 0) };
            call.operator.lend(Box::pin(work)).await?;
        } else {
            login.run(Asking::Nobody).await?;
        }
        let session = self.clients.session(&call.context).await?;
        let user = who(&session).await?;
        let server = session.cluster.server();
        let expires = session.cluster.credential_ends();
        let mut message = format!("logged in to {server}");
        if let Some(user) = &user {
            message.push_str(&format!(" as {user}"));
        }
        if let Some(left) = expires.and_then(|ends| (ends.duration_since(Timestamp::now())).try_into().ok()) {
            message.push_str(&format!(" for {}", human_duration(left)));
        }
        let expires = expires.map(|ends| ends.to_string());
        say(
            output,
            json!({"server": server, "user": user, "expires": expires, "message": message}),
        )
        .await
    }
}

/// Whom the server takes us for; none: it does not tell. Refused when it does not let us in.
async fn who(session: &Session) -> Result<Option<String>, Report> {
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    let answer: Result<Value, _> = session.cluster.write(Method::POST, path, JSON, &body).await;
    match answer {
        Ok(answer) => Ok(Some(text(&answer, "/status/userInfo/username").to_owned()).filter(|user| !user.is_empty())),
        Err(refused) => match error::code(&refused) {
            // An older server has no such question, and not everybody may ask it.
            Some(403 | 404) => Ok(None),
            Some(401) => Err(
                Report::failed(UNAUTHORIZED, "the server refuses the credential (Unauthorized)")
                    .hint("is it of this cluster? The kubeconfig's user and its plugin say who logs in"),
            ),
            _ => Err(session.cluster.report(&refused)),
        },
    }
}

//! From method and path to the operation. The one place that knows which operations exist.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use hyper::body::Incoming;

use super::accept::{self, Form};
use super::body::{self, Reply};
use super::route::{Query, Route, Target};
use super::status::ApiError;
use super::users::User;
use super::{
    Api, attach, discovery, exec, logs, metrics, port_forward, read, remove, review, scale, version, watch, write,
};

/// One request, read and taken apart.
pub(super) struct Call {
    pub target: Target,
    pub query: Query,
    pub form: Form,
    pub content_type: String,
    pub user_agent: String,
    pub user: User,
    pub body: Bytes,
}

impl Call {
    /// Who writes, for `managedFields`: the `fieldManager` parameter or the first word of the user agent.
    pub fn manager(&self) -> &str {
        let given = self.query.text("fieldManager");
        let agent = self.user_agent.split('/').next().unwrap_or_default();
        match (given, agent) {
            ("", "") => "unknown",
            ("", agent) => agent,
            (given, _) => given,
        }
    }

    /// Whether nothing may be stored (`dryRun=All`).
    pub fn dry_run(&self) -> Result<bool, ApiError> {
        match self.query.text("dryRun") {
            "" => Ok(false),
            "All" => Ok(true),
            other => Err(ApiError::bad_request(format!(
                "invalid dryRun value {other:?}: supported values: \"All\""
            ))),
        }
    }
}

pub(super) async fn dispatch(api: Arc<Api>, request: Request<Incoming>, user: User) -> Result<Reply, ApiError> {
    let path = request.uri().path().to_owned();
    let query = Query::parse(request.uri().query());
    match Route::parse(&path) {
        Route::Unknown if api.config.metrics && *request.method() == Method::GET => {
            let segments: Vec<&str> = path.trim_end_matches('/').split('/').skip(1).collect();
            match segments.as_slice() {
                ["apis", metrics::GROUP, metrics::VERSION, rest @ ..] => metrics::answer(&api, user, rest, &query),
                _ => Err(ApiError::path_not_found()),
            }
        }
        Route::Unknown => Err(ApiError::path_not_found()),
        Route::Other(path) => {
            if !matches!(*request.method(), Method::GET | Method::HEAD) {
                return Err(ApiError::path_not_found());
            }
            other(&api, &path, request.headers())
        }
        Route::Resource(target) => {
            let method = request.method().clone();
            if !supported(&method, &target) {
                return Err(ApiError::method_not_allowed());
            }
            user.check(&method, &target, query.flag("watch"))?;
            match target.subresource.map(|sub| sub.name) {
                Some("attach") => return attach::attach(&api, request, &target, &query),
                Some("exec") => return exec::exec(&api, request, &target, &query),
                Some("portforward") => return port_forward::port_forward(&api, request, &target, &query),
                _ => {}
            }
            let form = accept::negotiate(request.headers())?;
            let content_type = accept::content_type(request.headers());
            let user_agent = text(request.headers(), "user-agent");
            let body = if method == Method::GET {
                Bytes::new()
            } else {
                body::read(request).await?
            };
            let call = Call {
                target,
                query,
                form,
                content_type,
                user_agent,
                user,
                body,
            };
            operate(api, method, call).await
        }
    }
}

fn other(api: &Api, path: &str, headers: &HeaderMap) -> Result<Reply, ApiError> {
    match path {
        "/healthz" | "/livez" | "/readyz" => Ok(body::text(200, "ok")),
        "/version" => Ok(body::json(200, &version::version())),
        _ => discovery::answer(api, path, headers),
    }
}

/// Whether the resource offers an API verb for this method here.
fn supported(method: &Method, target: &Target) -> bool {
    let verbs = target.subresource.map_or(target.kind.verbs, |sub| sub.verbs);
    let item = !target.name.is_empty();
    let verb = match *method {
        Method::GET | Method::HEAD if item => "get",
        Method::GET | Method::HEAD => "list",
        Method::POST if !item || target.subresource.is_some() => "create",
        Method::PUT if item => "update",
        Method::PATCH if item => "patch",
        Method::DELETE if item => "delete",
        Method::DELETE => "deletecollection",
        _ => return false,
    };
    let everywhere = target.kind.namespaced && target.namespace.is_empty();
    verbs.contains(&verb) && (!everywhere || verb == "list")
}

async fn operate(api: Arc<Api>, method: Method, call: Call) -> Result<Reply, ApiError> {
    let watching = call.query.flag("watch");
    if let Some(sub) = call.target.subresource {
        return match (sub.name, method) {
            ("status" | "ephemeralcontainers" | "resize" | "approval", Method::GET) => read::get(&api, &call),
            ("status" | "ephemeralcontainers" | "resize" | "approval" | "finalize", Method::PUT) => {
                write::update(&api, &call)
            }
            ("status" | "ephemeralcontainers" | "resize" | "approval", Method::PATCH) => write::patch(&api, &call),
            ("scale", Method::GET) => scale::get(&api, &call),
            ("scale", Method::PUT | Method::PATCH) => scale::change(&api, &call),
            ("log", Method::GET) => logs::logs(&api, &call),
            ("eviction", Method::POST) => remove::evict(&api, &call),
            ("binding", Method::POST) => write::bind(&api, &call),
            _ => Err(ApiError::bad_request(format!(
                "the sandbox does not serve {}/{}",
                call.target.kind.resource, sub.name
            ))),
        };
    }
    match method {
        Method::GET if call.target.name.is_empty() && watching => watch::watch(api, call),
        Method::GET | Method::HEAD if call.target.name.is_empty() => read::list(&api, &call),
        Method::GET | Method::HEAD => read::get(&api, &call),
        Method::POST if review::is_review(call.target.kind) => review::review(&call),
        Method::POST => write::create(&api, &call),
        Method::PUT => write::update(&api, &call),
        Method::PATCH => write::patch(&api, &call),
        Method::DELETE if call.target.name.is_empty() => remove::collection(&api, &call),
        Method::DELETE => remove::delete(&api, &call),
        _ => Err(ApiError::method_not_allowed()),
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

//! The context that leads into a sandbox: its endpoints and nothing else.

use crate::core::context::{AwsTarget, Context, KubeconfigSource, KubernetesTarget, SandboxAdmin};
use crate::core::text::Secret;
use crate::sandbox::{CONTEXT, GUEST_CONTEXT, Sandbox};

use super::environment::Environment;

/// A closed context: no real cluster, account or name is reachable from it; the local Docker engine stays usable.
pub fn context(sandbox: &Sandbox, environment: &Environment, read_only: bool) -> Context {
    Context {
        kubernetes: KubernetesTarget {
            kubeconfig: KubeconfigSource::Inline(Secret::new(sandbox.kubeconfig())),
            kube_context: None,
            namespace: None,
            everywhere: false,
            configurable: false,
            layered: false,
            https_proxy: None,
        },
        aws: AwsTarget {
            profile: None,
            region: Some(sandbox.region().to_owned()),
            endpoint: Some(sandbox.aws_url()),
            keys: Some((
                sandbox.access_key_id().to_owned(),
                Secret::new(sandbox.secret_access_key()),
            )),
        },
        resolver: Some(sandbox.dns()),
        http_proxy: Some(format!("http://{}", sandbox.proxy())),
        no_proxy: None,
        docker_host: environment.get("DOCKER_HOST").map(str::to_owned),
        sandbox: Some(SandboxAdmin {
            url: sandbox.admin_url().to_owned(),
            token: Secret::new(sandbox.admin_token()),
        }),
        read_only,
        closed: true,
        environment: environment.shared(),
        ..Context::empty(CONTEXT)
    }
}

/// The same world for its guest, to try with few rights.
pub fn guest(context: &Context) -> Context {
    Context {
        name: GUEST_CONTEXT.to_owned(),
        kubernetes: KubernetesTarget {
            kube_context: Some(GUEST_CONTEXT.to_owned()),
            ..context.kubernetes.clone()
        },
        ..context.clone()
    }
}

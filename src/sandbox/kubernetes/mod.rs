//! The Kubernetes API server, its controllers, scheduler and kubelets of the sandbox.

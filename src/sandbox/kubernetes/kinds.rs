//! The table of resources the sandbox's API server knows: names, scope, API verbs, subresources. The groups, their
//! order and every row are those of a Kubernetes 1.36 API server's discovery. Not for behaviour of single kinds.

/// The API verbs most resources support, in the order discovery lists them.
pub const ALL: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];
const NO_COLLECTION: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];
const READ: &[&str] = &["get", "list"];
const CREATE: &[&str] = &["create"];
const CONNECT: &[&str] = &["create", "get"];
const GET: &[&str] = &["get"];
const UPDATE: &[&str] = &["update"];
const CHANGE: &[&str] = &["get", "patch", "update"];
const PROXY: &[&str] = &["create", "delete", "get", "patch", "update"];

/// One resource: a row of discovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Plural name as in URLs, and the key of the store: `pods`.
    pub resource: &'static str,
    /// Singular name: `pod`.
    pub singular: &'static str,
    /// `kind` of the objects: `Pod`.
    pub kind: &'static str,
    /// API group, empty for core.
    pub group: &'static str,
    /// Version in the group: `v1`.
    pub version: &'static str,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
    /// Abbreviations kubectl accepts.
    pub short_names: &'static [&'static str],
    /// Categories such as `all`.
    pub categories: &'static [&'static str],
    /// API verbs.
    pub verbs: &'static [&'static str],
    /// Subresources.
    pub subresources: &'static [Subresource],
    /// Whether `metadata.generation` is kept.
    pub generation: bool,
    /// The hash of the stored version where the recordings tell it, else empty.
    pub storage_hash: &'static str,
}

/// One subresource of a [`Kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subresource {
    /// Its last path segment: `scale`.
    pub name: &'static str,
    /// Group of the exchanged kind, empty when it is the parent's.
    pub group: &'static str,
    /// Version of the exchanged kind, empty when it is the parent's.
    pub version: &'static str,
    /// The exchanged kind.
    pub kind: &'static str,
    /// API verbs.
    pub verbs: &'static [&'static str],
}

impl Kind {
    /// `apps/v1`, or `v1` for core.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `deployments.apps`, or `pods` for core: how messages name the resource.
    pub fn qualified(&self) -> String {
        qualify(self.resource, self.group)
    }

    /// `Deployment.apps`, or `Pod` for core: how validation messages name the kind.
    pub fn qualified_kind(&self) -> String {
        qualify(self.kind, self.group)
    }

    /// The subresource of that name.
    pub fn subresource(&self, name: &str) -> Option<&'static Subresource> {
        self.subresources.iter().find(|s| s.name == name)
    }

    /// Whether the kind separates `status` from the rest.
    pub fn has_status(&self) -> bool {
        self.subresource("status").is_some()
    }

    const fn short(mut self, names: &'static [&'static str]) -> Self {
        self.short_names = names;
        self
    }
    const fn in_categories(mut self, names: &'static [&'static str]) -> Self {
        self.categories = names;
        self
    }
    const fn only(mut self, verbs: &'static [&'static str]) -> Self {
        self.verbs = verbs;
        self
    }
    const fn with(mut self, subresources: &'static [Subresource]) -> Self {
        self.subresources = subresources;
        self
    }
    const fn generation(mut self) -> Self {
        self.generation = true;
        self
    }
    const fn hash(mut self, hash: &'static str) -> Self {
        self.storage_hash = hash;
        self
    }
}

/// The kind stored under this plural name. `events` is the core one, which `events.k8s.io` shares.
pub fn by_resource(resource: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.resource == resource)
}

/// The kind at a place of the URL space.
pub fn find(group: &str, version: &str, resource: &str) -> Option<&'static Kind> {
    KINDS
        .iter()
        .find(|k| k.resource == resource && k.group == group && k.version == version)
}

/// The kind of an object by its `apiVersion` and `kind`.
pub fn by_kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    KINDS
        .iter()
        .find(|k| k.kind == kind && k.group == group && k.version == version)
}

/// A word with its group, unless that is the core.
pub fn qualify(name: &str, group: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}

const fn namespaced(
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    singular: &'static str,
    kind: &'static str,
) -> Kind {
    Kind {
        resource,
        singular,
        kind,
        group,
        version,
        namespaced: true,
        short_names: &[],
        categories: &[],
        verbs: ALL,
        subresources: &[],
        generation: false,
        storage_hash: "",
    }
}

const fn cluster(
    group: &'static str,
    version: &'static str,
    resource: &'static str,
    singular: &'static str,
    kind: &'static str,
) -> Kind {
    let mut row = namespaced(group, version, resource, singular, kind);
    row.namespaced = false;
    row
}

const fn sub(
    name: &'static str,
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    verbs: &'static [&'static str],
) -> Subresource {
    Subresource {
        name,
        group,
        version,
        kind,
        verbs,
    }
}

const fn status(kind: &'static str) -> Subresource {
    sub("status", "", "", kind, CHANGE)
}

const SCALE: Subresource = sub("scale", "autoscaling", "v1", "Scale", CHANGE);

/// Every resource, in the order of discovery: groups by priority, then by name.
#[rustfmt::skip]
pub const KINDS: &[Kind] = &[
    // -- core/v1
    namespaced("", "v1", "bindings", "binding", "Binding").only(CREATE),
    cluster("", "v1", "componentstatuses", "componentstatus", "ComponentStatus").short(&["cs"]).only(READ),
    namespaced("", "v1", "configmaps", "configmap", "ConfigMap").short(&["cm"]).hash("qFsyl6wFWjQ="),
    namespaced("", "v1", "endpoints", "endpoints", "Endpoints").short(&["ep"]).hash("fWeeMqaN/OA="),
    namespaced("", "v1", "events", "event", "Event").short(&["ev"]).hash("r2yiGXH7wu8="),
    namespaced("", "v1", "limitranges", "limitrange", "LimitRange").short(&["limits"]).hash("EBKMFVe6cwo="),
    cluster("", "v1", "namespaces", "namespace", "Namespace").short(&["ns"]).only(NO_COLLECTION).with(&[sub("finalize", "", "", "Namespace", UPDATE), status("Namespace")]).hash("Q3oi5N2YM8M="),
    cluster("", "v1", "nodes", "node", "Node").short(&["no"]).with(&[sub("proxy", "", "", "NodeProxyOptions", PROXY), status("Node")]).hash("XwShjMxG9Fs="),
    namespaced("", "v1", "persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim").short(&["pvc"]).with(&[status("PersistentVolumeClaim")]).hash("QWTyNDq0dC4="),
    cluster("", "v1", "persistentvolumes", "persistentvolume", "PersistentVolume").short(&["pv"]).with(&[status("PersistentVolume")]).hash("HN/zwEC+JgM="),
    namespaced("", "v1", "pods", "pod", "Pod").short(&["po"]).in_categories(&["all"]).with(&[sub("attach", "", "", "PodAttachOptions", CONNECT), sub("binding", "", "", "Binding", CREATE), sub("ephemeralcontainers", "", "", "Pod", CHANGE), sub("eviction", "policy", "v1", "Eviction", CREATE), sub("exec", "", "", "PodExecOptions", CONNECT), sub("log", "", "", "Pod", GET), sub("portforward", "", "", "PodPortForwardOptions", CONNECT), sub("proxy", "", "", "PodProxyOptions", PROXY), sub("resize", "", "", "Pod", CHANGE), status("Pod")]).generation().hash("xPOwRZ+Yhw8="),
    namespaced("", "v1", "podtemplates", "podtemplate", "PodTemplate").hash("LIXB2x4IFpk="),
    namespaced("", "v1", "replicationcontrollers", "replicationcontroller", "ReplicationController").short(&["rc"]).in_categories(&["all"]).with(&[SCALE, status("ReplicationController")]).generation().hash("Jond2If31h0="),
    namespaced("", "v1", "resourcequotas", "resourcequota", "ResourceQuota").short(&["quota"]).with(&[status("ResourceQuota")]).hash("8uhSgffRX6w="),
    namespaced("", "v1", "secrets", "secret", "Secret").hash("S6u1pOWzb84="),
    namespaced("", "v1", "serviceaccounts", "serviceaccount", "ServiceAccount").short(&["sa"]).with(&[sub("token", "authentication.k8s.io", "v1", "TokenRequest", CREATE)]).hash("pbx9ZvyFpBE="),
    namespaced("", "v1", "services", "service", "Service").short(&["svc"]).in_categories(&["all"]).with(&[sub("proxy", "", "", "ServiceProxyOptions", PROXY), status("Service")]).hash("0/CO1lhkEBI="),
    // -- apiregistration.k8s.io/v1
    cluster("apiregistration.k8s.io", "v1", "apiservices", "apiservice", "APIService").in_categories(&["api-extensions"]).with(&[status("APIService")]),
    // -- apps/v1
    namespaced("apps", "v1", "controllerrevisions", "controllerrevision", "ControllerRevision").hash("85nkx63pcBU="),
    namespaced("apps", "v1", "daemonsets", "daemonset", "DaemonSet").short(&["ds"]).in_categories(&["all"]).with(&[status("DaemonSet")]).generation().hash("dd7pWHUlMKQ="),
    namespaced("apps", "v1", "deployments", "deployment", "Deployment").short(&["deploy"]).in_categories(&["all"]).with(&[SCALE, status("Deployment")]).generation().hash("8aSe+NMegvE="),
    namespaced("apps", "v1", "replicasets", "replicaset", "ReplicaSet").short(&["rs"]).in_categories(&["all"]).with(&[SCALE, status("ReplicaSet")]).generation().hash("P1RzHs8/mWQ="),
    namespaced("apps", "v1", "statefulsets", "statefulset", "StatefulSet").short(&["sts"]).in_categories(&["all"]).with(&[SCALE, status("StatefulSet")]).generation().hash("H+vl74LkKdo="),
    // -- events.k8s.io/v1
    namespaced("events.k8s.io", "v1", "events", "event", "Event").short(&["ev"]),
    // -- authentication.k8s.io/v1
    cluster("authentication.k8s.io", "v1", "selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview").only(CREATE),
    cluster("authentication.k8s.io", "v1", "tokenreviews", "tokenreview", "TokenReview").only(CREATE),
    // -- authorization.k8s.io/v1
    namespaced("authorization.k8s.io", "v1", "localsubjectaccessreviews", "localsubjectaccessreview", "LocalSubjectAccessReview").only(CREATE),
    cluster("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "selfsubjectaccessreview", "SelfSubjectAccessReview").only(CREATE),
    cluster("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "selfsubjectrulesreview", "SelfSubjectRulesReview").only(CREATE),
    cluster("authorization.k8s.io", "v1", "subjectaccessreviews", "subjectaccessreview", "SubjectAccessReview").only(CREATE),
    // -- autoscaling/v2
    namespaced("autoscaling", "v2", "horizontalpodautoscalers", "horizontalpodautoscaler", "HorizontalPodAutoscaler").short(&["hpa"]).in_categories(&["all"]).with(&[status("HorizontalPodAutoscaler")]),
    // -- autoscaling/v1
    namespaced("autoscaling", "v1", "horizontalpodautoscalers", "horizontalpodautoscaler", "HorizontalPodAutoscaler").short(&["hpa"]).in_categories(&["all"]).with(&[status("HorizontalPodAutoscaler")]),
    // -- batch/v1
    namespaced("batch", "v1", "cronjobs", "cronjob", "CronJob").short(&["cj"]).in_categories(&["all"]).with(&[status("CronJob")]).generation(),
    namespaced("batch", "v1", "jobs", "job", "Job").in_categories(&["all"]).with(&[status("Job")]).generation(),
    // -- certificates.k8s.io/v1
    cluster("certificates.k8s.io", "v1", "certificatesigningrequests", "certificatesigningrequest", "CertificateSigningRequest").short(&["csr"]).with(&[sub("approval", "", "", "CertificateSigningRequest", CHANGE), status("CertificateSigningRequest")]),
    // -- networking.k8s.io/v1
    cluster("networking.k8s.io", "v1", "ingressclasses", "ingressclass", "IngressClass"),
    namespaced("networking.k8s.io", "v1", "ingresses", "ingress", "Ingress").short(&["ing"]).with(&[status("Ingress")]).generation(),
    cluster("networking.k8s.io", "v1", "ipaddresses", "ipaddress", "IPAddress").short(&["ip"]),
    namespaced("networking.k8s.io", "v1", "networkpolicies", "networkpolicy", "NetworkPolicy").short(&["netpol"]).generation(),
    cluster("networking.k8s.io", "v1", "servicecidrs", "servicecidr", "ServiceCIDR").with(&[status("ServiceCIDR")]),
    // -- policy/v1
    namespaced("policy", "v1", "poddisruptionbudgets", "poddisruptionbudget", "PodDisruptionBudget").short(&["pdb"]).with(&[status("PodDisruptionBudget")]).generation(),
    // -- rbac.authorization.k8s.io/v1
    cluster("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "clusterrolebinding", "ClusterRoleBinding"),
    cluster("rbac.authorization.k8s.io", "v1", "clusterroles", "clusterrole", "ClusterRole"),
    namespaced("rbac.authorization.k8s.io", "v1", "rolebindings", "rolebinding", "RoleBinding"),
    namespaced("rbac.authorization.k8s.io", "v1", "roles", "role", "Role"),
    // -- storage.k8s.io/v1
    cluster("storage.k8s.io", "v1", "csidrivers", "csidriver", "CSIDriver"),
    cluster("storage.k8s.io", "v1", "csinodes", "csinode", "CSINode"),
    namespaced("storage.k8s.io", "v1", "csistoragecapacities", "csistoragecapacity", "CSIStorageCapacity"),
    cluster("storage.k8s.io", "v1", "storageclasses", "storageclass", "StorageClass").short(&["sc"]),
    cluster("storage.k8s.io", "v1", "volumeattachments", "volumeattachment", "VolumeAttachment").with(&[status("VolumeAttachment")]),
    cluster("storage.k8s.io", "v1", "volumeattributesclasses", "volumeattributesclass", "VolumeAttributesClass").short(&["vac"]),
    // -- admissionregistration.k8s.io/v1
    cluster("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies", "mutatingadmissionpolicy", "MutatingAdmissionPolicy").in_categories(&["api-extensions"]),
    cluster("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicybindings", "mutatingadmissionpolicybinding", "MutatingAdmissionPolicyBinding").in_categories(&["api-extensions"]),
    cluster("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "mutatingwebhookconfiguration", "MutatingWebhookConfiguration").in_categories(&["api-extensions"]).generation(),
    cluster("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "validatingadmissionpolicy", "ValidatingAdmissionPolicy").in_categories(&["api-extensions"]).with(&[status("ValidatingAdmissionPolicy")]),
    cluster("admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", "validatingadmissionpolicybinding", "ValidatingAdmissionPolicyBinding").in_categories(&["api-extensions"]),
    cluster("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "validatingwebhookconfiguration", "ValidatingWebhookConfiguration").in_categories(&["api-extensions"]).generation(),
    // -- apiextensions.k8s.io/v1
    cluster("apiextensions.k8s.io", "v1", "customresourcedefinitions", "customresourcedefinition", "CustomResourceDefinition").short(&["crd", "crds"]).in_categories(&["api-extensions"]).with(&[status("CustomResourceDefinition")]).generation(),
    // -- scheduling.k8s.io/v1
    cluster("scheduling.k8s.io", "v1", "priorityclasses", "priorityclass", "PriorityClass").short(&["pc"]),
    // -- coordination.k8s.io/v1
    namespaced("coordination.k8s.io", "v1", "leases", "lease", "Lease"),
    // -- node.k8s.io/v1
    cluster("node.k8s.io", "v1", "runtimeclasses", "runtimeclass", "RuntimeClass"),
    // -- discovery.k8s.io/v1
    namespaced("discovery.k8s.io", "v1", "endpointslices", "endpointslice", "EndpointSlice").generation(),
    // -- resource.k8s.io/v1
    cluster("resource.k8s.io", "v1", "deviceclasses", "deviceclass", "DeviceClass"),
    namespaced("resource.k8s.io", "v1", "resourceclaims", "resourceclaim", "ResourceClaim").with(&[status("ResourceClaim")]),
    namespaced("resource.k8s.io", "v1", "resourceclaimtemplates", "resourceclaimtemplate", "ResourceClaimTemplate"),
    cluster("resource.k8s.io", "v1", "resourceslices", "resourceslice", "ResourceSlice"),
    // -- flowcontrol.apiserver.k8s.io/v1
    cluster("flowcontrol.apiserver.k8s.io", "v1", "flowschemas", "flowschema", "FlowSchema").with(&[status("FlowSchema")]).generation(),
    cluster("flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations", "prioritylevelconfiguration", "PriorityLevelConfiguration").with(&[status("PriorityLevelConfiguration")]).generation(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookups_agree() {
        for row in KINDS {
            assert_eq!(find(row.group, row.version, row.resource), Some(row));
            assert_eq!(by_kind(&row.api_version(), row.kind), Some(row));
        }
        assert_eq!(by_resource("events").map(|k| k.group), Some(""));
        assert_eq!(
            by_resource("deployments").map(Kind::qualified).as_deref(),
            Some("deployments.apps")
        );
        assert_eq!(by_resource("nope"), None);
    }
}

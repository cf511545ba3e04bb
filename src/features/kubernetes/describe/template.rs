//! A pod template and what it shares with a pod: containers, volumes, node selectors, tolerations.

use serde_json::{Map, Value};

use super::text::{Text, plain, time, yes};
use crate::features::kubernetes::object::{self, list, number, text};
use crate::features::kubernetes::quantity::canonical;

/// A pod template as `rollout history --revision` shows it; `cause` becomes an annotation of it there.
pub fn pod_template(template: &Value, cause: Option<&str>) -> String {
    let mut template = template.clone();
    if let Some(cause) = cause.filter(|cause| *cause != "<none>") {
        if !template["metadata"]["annotations"].is_object() {
            template["metadata"]["annotations"] = Value::Object(Map::new());
        }
        template["metadata"]["annotations"][object::CHANGE_CAUSE] = Value::from(cause);
    }
    let mut out = Text::default();
    write_template(&mut out, &template);
    out.finish()
}

/// `Pod Template:` and everything below it.
pub fn write_template(out: &mut Text, template: &Value) {
    out.line(0, "Pod Template:");
    out.map(1, "Labels", template.pointer("/metadata/labels"), "=");
    if object::map(template, "/metadata/annotations").is_some_and(|map| !map.is_empty()) {
        out.annotations(1, "Annotations", template.pointer("/metadata/annotations"));
    }
    let empty = Value::Null;
    let spec = template.get("spec").unwrap_or(&empty);
    out.field_unless_empty(1, "Service Account", text(spec, "/serviceAccountName"));
    if !list(spec, "/initContainers").is_empty() {
        containers(out, "Init Containers", list(spec, "/initContainers"), &[], 1);
    }
    containers(out, "Containers", list(spec, "/containers"), &[], 1);
    volumes(out, spec, 1);
    out.field_unless_empty(1, "Priority Class Name", text(spec, "/priorityClassName"));
    scheduling(out, spec, 1);
}

/// Node selectors and tolerations.
pub fn scheduling(out: &mut Text, spec: &Value, level: usize) {
    out.map(level, "Node-Selectors", spec.pointer("/nodeSelector"), "=");
    out.lines(level, "Tolerations", list(spec, "/tolerations").iter().map(toleration));
}

fn toleration(toleration: &Value) -> String {
    let mut line = text(toleration, "/key").to_owned();
    let value = text(toleration, "/value");
    if !value.is_empty() {
        line = format!("{line}={value}");
    }
    let effect = text(toleration, "/effect");
    if !effect.is_empty() {
        line = format!("{line}:{effect}");
    }
    if text(toleration, "/operator") == "Exists" && value.is_empty() {
        line = if line.is_empty() {
            "op=Exists".to_owned()
        } else {
            format!("{line} op=Exists")
        };
    }
    if let Some(seconds) = toleration["tolerationSeconds"].as_i64() {
        line = format!("{line} for {seconds}s");
    }
    line
}

/// Containers with their states, where there are any.
pub fn containers(out: &mut Text, title: &str, containers: &[Value], statuses: &[Value], level: usize) {
    // A pod's containers stand one blank less deep than a template's.
    let indent = if level == 0 { "" } else { " " };
    let none = if containers.is_empty() { " <none>" } else { "" };
    out.line(level, &format!("{title}:{none}"));
    for container in containers {
        let name = text(container, "/name");
        let status = statuses.iter().find(|status| text(status, "/name") == name);
        out.line(1, &format!("{indent}{name}:"));
        if let Some(status) = status {
            out.field(2, "Container ID", text(status, "/containerID"));
        }
        out.field(2, "Image", text(container, "/image"));
        if let Some(status) = status {
            out.field(2, "Image ID", text(status, "/imageID"));
        }
        ports(out, container);
        words(out, "Command", list(container, "/command"));
        words(out, "Args", list(container, "/args"));
        if let Some(status) = status {
            state(out, "State", &status["state"]);
            if status.pointer("/lastState/terminated").is_some() {
                state(out, "Last State", &status["lastState"]);
            }
            out.field(2, "Ready", yes(&status["ready"]));
            out.field(2, "Restart Count", number(status, "/restartCount").to_string());
        }
        for (title, pointer) in [("Limits", "/resources/limits"), ("Requests", "/resources/requests")] {
            amounts(out, title, object::map(container, pointer));
        }
        for (title, pointer) in [
            ("Liveness", "/livenessProbe"),
            ("Readiness", "/readinessProbe"),
            ("Startup", "/startupProbe"),
        ] {
            if let Some(found) = container.pointer(pointer) {
                out.field(2, title, probe(found));
            }
        }
        environment_sources(out, list(container, "/envFrom"));
        environment(out, list(container, "/env"));
        mounts(out, list(container, "/volumeMounts"));
    }
}

fn ports(out: &mut Text, container: &Value) {
    let ports = list(container, "/ports");
    let protocol = |port: &Value| text(port, "/protocol").to_owned();
    let inside: Vec<String> = ports
        .iter()
        .map(|port| match text(port, "/name") {
            "" => format!("{}/{}", number(port, "/containerPort"), protocol(port)),
            name => format!("{}/{} ({name})", number(port, "/containerPort"), protocol(port)),
        })
        .collect();
    let host: Vec<String> = ports
        .iter()
        .map(|port| match text(port, "/name") {
            "" => format!("{}/{}", number(port, "/hostPort"), protocol(port)),
            name => format!("{}/{} ({name})", number(port, "/hostPort"), protocol(port)),
        })
        .collect();
    let plural = if ports.len() > 1 { "s" } else { "" };
    out.field_or_none(2, &format!("Port{plural}"), &inside.join(", "));
    out.field_or_none(2, &format!("Host Port{plural}"), &host.join(", "));
}

fn words(out: &mut Text, title: &str, words: &[Value]) {
    if words.is_empty() {
        return;
    }
    out.line(2, &format!("{title}:"));
    for word in words {
        for line in plain(word).split('\n') {
            out.line(3, &line.replace('\t', " "));
        }
    }
}

fn state(out: &mut Text, title: &str, state: &Value) {
    if let Some(running) = state.get("running") {
        out.field(2, title, "Running");
        out.field(3, "Started", time(&running["startedAt"]));
    } else if let Some(ended) = state.get("terminated") {
        out.field(2, title, "Terminated");
        out.field_unless_empty(3, "Reason", text(ended, "/reason"));
        out.field_unless_empty(3, "Message", text(ended, "/message"));
        out.field(3, "Exit Code", number(ended, "/exitCode").to_string());
        if number(ended, "/signal") > 0 {
            out.field(3, "Signal", number(ended, "/signal").to_string());
        }
        out.field(3, "Started", time(&ended["startedAt"]));
        out.field(3, "Finished", time(&ended["finishedAt"]));
    } else {
        out.field(2, title, "Waiting");
        out.field_unless_empty(3, "Reason", text(state, "/waiting/reason"));
    }
}

fn amounts(out: &mut Text, title: &str, amounts: Option<&Map<String, Value>>) {
    let mut pairs: Vec<(&String, &Value)> = amounts.into_iter().flatten().collect();
    if pairs.is_empty() {
        return;
    }
    pairs.sort_by_key(|(name, _)| *name);
    out.line(2, &format!("{title}:"));
    for (name, amount) in pairs {
        out.field(3, name, canonical(&plain(amount)));
    }
}

fn probe(probe: &Value) -> String {
    let or = |pointer: &str, default: i64| probe.pointer(pointer).and_then(Value::as_i64).unwrap_or(default);
    let what = if let Some(get) = probe.get("httpGet") {
        let scheme = text(get, "/scheme").to_lowercase();
        let scheme = if scheme.is_empty() { "http".to_owned() } else { scheme };
        format!(
            "http-get {scheme}://{}:{}{}",
            text(get, "/host"),
            plain(&get["port"]),
            text(get, "/path")
        )
    } else if let Some(socket) = probe.get("tcpSocket") {
        format!("tcp-socket {}:{}", text(socket, "/host"), plain(&socket["port"]))
    } else if probe.get("exec").is_some() {
        let words: Vec<String> = list(probe, "/exec/command").iter().map(plain).collect();
        format!("exec [{}]", words.join(" "))
    } else if let Some(grpc) = probe.get("grpc") {
        format!("grpc <pod>:{} {}", plain(&grpc["port"]), text(grpc, "/service"))
    } else {
        "unknown".to_owned()
    };
    format!(
        "{what} delay={}s timeout={}s period={}s #success={} #failure={}",
        or("/initialDelaySeconds", 0),
        or("/timeoutSeconds", 1),
        or("/periodSeconds", 10),
        or("/successThreshold", 1),
        or("/failureThreshold", 3)
    )
}

fn environment_sources(out: &mut Text, sources: &[Value]) {
    if sources.is_empty() {
        return;
    }
    out.line(2, "Environment Variables from:");
    for source in sources {
        let (name, kind, optional) = match source.get("secretRef") {
            Some(secret) => (text(secret, "/name"), "Secret", yes(&secret["optional"])),
            None => (
                text(source, "/configMapRef/name"),
                "ConfigMap",
                yes(&source["configMapRef"]["optional"]),
            ),
        };
        out.line(3, &format!("{name}\t{kind}\tOptional: {}", optional.to_lowercase()));
    }
}

fn environment(out: &mut Text, variables: &[Value]) {
    out.line(
        2,
        if variables.is_empty() {
            "Environment:\t<none>"
        } else {
            "Environment:"
        },
    );
    for variable in variables {
        let from = |pointer: &str| variable.pointer(pointer);
        let value = if let Some(field) = from("/valueFrom/fieldRef") {
            format!(" ({}:{})", text(field, "/apiVersion"), text(field, "/fieldPath"))
        } else if let Some(resource) = from("/valueFrom/resourceFieldRef") {
            format!(" ({})", text(resource, "/resource"))
        } else if let Some(key) = from("/valueFrom/secretKeyRef") {
            format!(
                "<set to the key '{}' in secret '{}'>\tOptional: {}",
                text(key, "/key"),
                text(key, "/name"),
                yes(&key["optional"]).to_lowercase()
            )
        } else if let Some(key) = from("/valueFrom/configMapKeyRef") {
            format!(
                "<set to the key '{}' of config map '{}'>\tOptional: {}",
                text(key, "/key"),
                text(key, "/name"),
                yes(&key["optional"]).to_lowercase()
            )
        } else {
            text(variable, "/value").replace(['\n', '\t'], " ")
        };
        out.line(3, &format!("{}:\t{value}", text(variable, "/name")));
    }
}

fn mounts(out: &mut Text, mounts: &[Value]) {
    out.line(
        2,
        if mounts.is_empty() {
            "Mounts:\t<none>"
        } else {
            "Mounts:"
        },
    );
    let mut sorted: Vec<&Value> = mounts.iter().collect();
    sorted.sort_by_key(|mount| text(mount, "/mountPath"));
    for mount in sorted {
        let mut flags = if mount["readOnly"].as_bool().unwrap_or(false) {
            "ro"
        } else {
            "rw"
        }
        .to_owned();
        let inner = text(mount, "/subPath");
        if !inner.is_empty() {
            flags.push_str(&format!(",path=\"{inner}\""));
        }
        out.line(
            3,
            &format!("{} from {} ({flags})", text(mount, "/mountPath"), text(mount, "/name")),
        );
    }
}

/// Volumes.
pub fn volumes(out: &mut Text, spec: &Value, level: usize) {
    let volumes = list(spec, "/volumes");
    if volumes.is_empty() {
        out.line(level, "Volumes:\t<none>");
        return;
    }
    let indent = if level == 0 { "" } else { " " };
    out.line(level, "Volumes:");
    for volume in volumes {
        out.line(1, &format!("{indent}{}:", text(volume, "/name")));
        let source = volume
            .as_object()
            .and_then(|fields| fields.iter().find(|(key, _)| *key != "name"));
        let Some((kind, source)) = source else { continue };
        match kind.as_str() {
            "projected" => projected(out, source),
            "configMap" => {
                out.field(2, "Type", "ConfigMap (a volume populated by a ConfigMap)");
                out.field(2, "Name", text(source, "/name"));
                out.field(2, "Optional", yes(&source["optional"]).to_lowercase());
            }
            "secret" => {
                out.field(2, "Type", "Secret (a volume populated by a Secret)");
                out.field(2, "SecretName", text(source, "/secretName"));
                out.field(2, "Optional", yes(&source["optional"]).to_lowercase());
            }
            "emptyDir" => {
                out.field(
                    2,
                    "Type",
                    "EmptyDir (a temporary directory that shares a pod's lifetime)",
                );
                out.field(2, "Medium", text(source, "/medium"));
                let limit = text(source, "/sizeLimit");
                out.field(2, "SizeLimit", if limit.is_empty() { "<unset>" } else { limit });
            }
            "hostPath" => {
                out.field(2, "Type", "HostPath (bare host directory volume)");
                out.field(2, "Path", text(source, "/path"));
                out.field(2, "HostPathType", text(source, "/type"));
            }
            "persistentVolumeClaim" => {
                out.field(
                    2,
                    "Type",
                    "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
                );
                out.field(2, "ClaimName", text(source, "/claimName"));
                out.field(2, "ReadOnly", yes(&source["readOnly"]).to_lowercase());
            }
            other => out.field(2, "Type", other),
        }
    }
}

fn projected(out: &mut Text, source: &Value) {
    out.field(
        2,
        "Type",
        "Projected (a volume that contains injected data from multiple sources)",
    );
    for part in list(source, "/sources") {
        if let Some(token) = part.get("serviceAccountToken") {
            out.field(
                2,
                "TokenExpirationSeconds",
                number(token, "/expirationSeconds").to_string(),
            );
        } else if let Some(map) = part.get("configMap") {
            out.field(2, "ConfigMapName", text(map, "/name"));
            out.field(
                2,
                "ConfigMapOptional",
                map["optional"]
                    .as_bool()
                    .map_or("<nil>".to_owned(), |flag| flag.to_string()),
            );
        } else if let Some(secret) = part.get("secret") {
            out.field(2, "SecretName", text(secret, "/name"));
            out.field(
                2,
                "SecretOptionalName",
                secret["optional"]
                    .as_bool()
                    .map_or("<nil>".to_owned(), |flag| flag.to_string()),
            );
        } else if part.get("downwardAPI").is_some() {
            out.field(2, "DownwardAPI", "true");
        }
    }
}

//! The public bundles: loaded unchanged, and everything in them.

use super::{Home, public};
use serde_json::json;

/// The public bundles, as re-typed for these tests.
const PUBLIC: [(&str, &str); 7] = [
    ("kubectl", "0.1.15"),
    ("r53", "0.2.7"),
    ("ec2", "0.1.2"),
    ("s3", "0.1.0"),
    ("net", "0.3.0"),
    ("jq", "0.3.0"),
    ("format", "0.5.0"),
];

#[test]
fn b1_b5_the_public_bundles_load_unchanged_and_show_their_help_pages() {
    let home = Home::new();
    for (name, version) in PUBLIC {
        let file = public(name);
        let (code, stdout, stderr) = home.cogdeck(&["bundle", "validate", file.to_str().unwrap()]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{name}");
        assert!(stdout.starts_with(&format!("{name} {version}: ")), "{stdout}");
        home.install(&file);
        home.done(&format!("bundle enable {name} {version}"));
    }
    let sections = |page: &str| -> Vec<String> {
        page.lines()
            .filter(|line| !line.is_empty() && !line.starts_with(' '))
            .map(str::to_owned)
            .collect()
    };
    let page = home.done("help kubectl");
    assert_eq!(
        sections(&page),
        ["Name", "Commands", "Configuration", "Author", "Homepage"]
    );
    assert!(page.contains("  kubectl - Interact with Kubernetes\n"), "{page}");
    assert!(
        page.contains("  • KUBERNETES_TOKEN - bearer token of a service account\n"),
        "{page}"
    );
    let page = home.done("help kubectl:run");
    assert_eq!(
        sections(&page),
        ["Name", "Synopsis", "Required Options", "Options", "Author", "Homepage"]
    );
    assert!(
        page.contains("\n  kubectl:run --image <image> [--port <port>] [--expose] NAME [.. cmd]\n"),
        "{page}"
    );
    assert!(
        page.contains("Required Options\n  • --image <image> - image to run\n"),
        "{page}"
    );
    for (command, synopsis) in [
        ("kubectl:set image", "kubectl:set-image TYPE/NAME CONTAINER=IMAGE ..."),
        (
            "kubectl:get",
            "kubectl:get [--all-namespaces] [--selector <selector>] [--show-all] [--sort-by <sort-by>] TYPE [NAME...]",
        ),
        ("kubectl:logs", "kubectl:logs [options] [POD]"),
        (
            "kubectl:scale",
            "kubectl:scale --replicas <replicas> [--current-replicas <current-replicas>] TYPE/NAME | TYPE NAME",
        ),
        (
            "r53:record-create",
            "r53:record-create --zone <zone> --type <type> [--alias-target-zone <alias-target-zone>] [--ttl <ttl>] <name> <value> [value...]",
        ),
        (
            "r53:record-list",
            "r53:record-list --zone <zone> [--type <type>] [--name <name>]",
        ),
        (
            "ec2:instance-create",
            "ec2:instance-create --image-id <image-id> [options]",
        ),
        (
            "ec2:instance-stop",
            "ec2:instance-stop [--force] [--region <region>] <id> [id...]",
        ),
        (
            "s3:bucket-create",
            "s3:bucket-create [--acl <acl>] [--region <region>] <name>",
        ),
        (
            "net:dig",
            "net:dig [--short] [--type <type>] [--server <server>] [--trace] <target>",
        ),
        ("jq:jq", "jq:jq [filter]"),
        ("format:list", "format:list [--order <order>] [--join <join>] FIELD"),
        ("format:fields", "format:fields"),
    ] {
        let page = home.done(&format!("help {command}"));
        assert!(page.contains(&format!("Synopsis\n  {synopsis}\n")), "{command}: {page}");
    }
    let page = home.done("help r53:record-create");
    assert!(
        page.contains("  • -z <zone>, --zone <zone> - zone of the record\n"),
        "{page}"
    );
    let page = home.done("help kubectl:get");
    assert!(
        page.contains("Examples\n  kubectl:get po\n") && page.contains("Output\n  One object a resource"),
        "{page}"
    );
    // The documented sample feeds a pipeline.
    assert_eq!(
        home.records("help --output kubectl:get | jq .Name"),
        [json!("inspector-1")]
    );
    // Reserved, or simply wrong: the error names its place.
    assert!(
        home.refused("kubectl:get --selectr a=b po")
            .contains("did you mean --selector")
    );
}

/// Every command of the public bundles: its rule, and its options as `name:type`, `/x` for a short flag, `!` for required.
const COMMANDS: [(&str, &str, &str, &str); 44] = [
    (
        "kubectl",
        "get",
        "kubectl:read",
        "all-namespaces:bool selector:list/l show-all:bool/a sort-by:string",
    ),
    (
        "kubectl",
        "logs",
        "kubectl:read",
        "container:string/c selector:list/l previous:bool/p since:string tail:int timestamps:bool",
    ),
    ("kubectl", "describe", "kubectl:read", "selector:list/l"),
    ("kubectl", "run", "kubectl:write", "image:string! port:int expose:bool"),
    (
        "kubectl",
        "expose",
        "kubectl:write",
        "type:string port:int target-port:int",
    ),
    (
        "kubectl",
        "scale",
        "kubectl:write",
        "replicas:int! current-replicas:int",
    ),
    ("kubectl", "set-image", "kubectl:write", ""),
    (
        "kubectl",
        "delete",
        "kubectl:admin",
        "grace-period:int force:bool selector:list/l",
    ),
    ("r53", "zone", "r53:read", "name:string/n"),
    (
        "r53",
        "record-list",
        "r53:read",
        "zone:list/z! type:list/t name:string/n",
    ),
    (
        "r53",
        "record-create",
        "r53:write",
        "zone:string/z! type:string/t! alias-target-zone:string/a ttl:string",
    ),
    ("ec2", "instance-list", "ec2:read", "region:string/r"),
    ("ec2", "instance-search", "ec2:read", "region:string/r"),
    (
        "ec2",
        "instance-create",
        "ec2:write",
        "image-id:string/i! instance-type:string/m key-name:string/k availability-zone:string/z subnet-id:string/s \
         tags:string/t count:int/c region:string/r",
    ),
    ("ec2", "instance-start", "ec2:write", "region:string/r"),
    ("ec2", "instance-stop", "ec2:write", "force:bool/f region:string/r"),
    ("ec2", "instance-reboot", "ec2:write", "region:string/r"),
    ("ec2", "instance-destroy", "ec2:admin", "region:string/r"),
    ("ec2", "instance-tag", "ec2:write", "region:string/r"),
    ("ec2", "keypair-list", "ec2:read", "region:string/r"),
    ("ec2", "vpc-list", "ec2:read", "region:string/r"),
    ("s3", "bucket-list", "s3:read", "region:string/r"),
    ("s3", "bucket-create", "s3:write", "acl:string/a region:string/r"),
    ("s3", "bucket-destroy", "s3:admin", "region:string/r"),
    ("s3", "bucket-acl", "s3:read", "region:string/r"),
    ("s3", "file-list", "s3:read", "region:string/r"),
    ("s3", "file-create", "s3:write", "region:string/r"),
    ("s3", "file-info", "s3:read", "region:string/r"),
    ("s3", "file-destroy", "s3:admin", "region:string/r"),
    ("net", "dig", "", "short:bool type:string server:string trace:bool"),
    ("net", "ping", "", "count:string"),
    ("net", "nslookup", "", "server:string"),
    ("jq", "jq", "", ""),
    ("format", "head", "", ""),
    ("format", "tail", "", ""),
    ("format", "fields", "", ""),
    ("format", "list", "", "order:string/o join:string/j"),
    ("format", "pluck", "", "as:string"),
    ("format", "table", "", ""),
    // What each of them wants to be configured with, as a line of its own.
    ("kubectl", "", "KUBERNETES_TOKEN KUBERNETES_SERVER KUBERNETES_CERT", ""),
    ("r53", "", "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY", ""),
    (
        "ec2",
        "",
        "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION? AWS_STS_ROLE_ARN?",
        "",
    ),
    ("s3", "", "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION?", ""),
    ("net", "", "", ""),
];

#[test]
fn b1_every_command_option_rule_and_variable_of_the_public_bundles_is_there() {
    use cogdeck::bundle::Manifest;
    for (bundle, _) in PUBLIC {
        let manifest = Manifest::read(&public(bundle)).unwrap();
        let rows = COMMANDS.iter().filter(|row| row.0 == bundle);
        let wanted: Vec<_> = rows.clone().filter(|row| !row.1.is_empty()).map(|row| row.1).collect();
        let mut found: Vec<&str> = manifest.commands.keys().collect();
        assert_eq!(found.len(), wanted.len(), "{bundle}: {found:?}");
        found.retain(|name| !wanted.contains(name));
        assert!(found.is_empty(), "{bundle}: {found:?}");
        for (_, name, right, options) in rows {
            let Some(command) = manifest.commands.get(name) else {
                let variables = manifest.config.iter().flat_map(|config| &config.env);
                let variables =
                    variables.map(|known| format!("{}{}", known.var, if known.is_required() { "" } else { "?" }));
                assert_eq!(variables.collect::<Vec<_>>().join(" "), *right, "{bundle}");
                continue;
            };
            let rule = if right.is_empty() {
                "allow".to_owned()
            } else {
                format!("must have {right}")
            };
            assert_eq!(command.rules, [rule], "{bundle}:{name}");
            let written = command.options.iter().map(|(option, spec)| {
                let kind = format!("{:?}", spec.kind).to_lowercase();
                let short = spec
                    .short_flag
                    .as_ref()
                    .map_or_else(String::new, |flag| format!("/{flag}"));
                format!("{option}:{kind}{short}{}", if spec.required { "!" } else { "" })
            });
            assert_eq!(written.collect::<Vec<_>>().join(" "), *options, "{bundle}:{name}");
            assert!(!command.description.is_empty(), "{bundle}:{name} says what it does");
        }
        let permissions = manifest.permissions.join(" ");
        let all = format!("{bundle}:read {bundle}:write {bundle}:admin");
        assert_eq!(
            permissions,
            if permissions.is_empty() { String::new() } else { all },
            "{bundle}"
        );
    }
}

//! Bundles from their files to commands in use, through the binary: install, enable, roll back, configure, try. No
//! container is started: what a command is given and answers comes from executables of this machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is how a test fails"
)]

#[path = "bundle_library/defects.rs"]
mod defects;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::process::COGDECK;
use tempfile::TempDir;

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

struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// Exit code, stdout, stderr.
type Ended = (Option<i32>, String, String);

impl Home {
    fn new() -> Home {
        Home {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    fn cogdeck(&self, words: &[&str]) -> Ended {
        let output = Command::new(COGDECK)
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("USER", "ana")
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn run(&self, line: &str) -> Ended {
        self.cogdeck(&["run", line])
    }

    /// The stdout of a line that must succeed.
    fn done(&self, line: &str) -> String {
        let (code, stdout, stderr) = self.run(line);
        assert_eq!(code, Some(0), "{line}: {stdout}{stderr}");
        stdout
    }

    /// The stderr of a line that must be refused, having printed nothing.
    fn refused(&self, line: &str) -> String {
        let (code, stdout, stderr) = self.run(line);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{line}: {stderr}");
        stderr
    }

    /// The stderr of a line that must not succeed.
    fn refused_or_failed(&self, line: &str) -> String {
        let (code, _, stderr) = self.run(line);
        assert!(matches!(code, Some(1 | 2)), "{line}: {stderr}");
        stderr
    }

    fn records(&self, line: &str) -> Vec<Value> {
        let (code, stdout, stderr) = self.cogdeck(&["run", "-o", "jsonl", line]);
        assert_eq!(code, Some(0), "{line}: {stderr}");
        stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("a record"))
            .collect()
    }

    /// A manifest of a bundle with one command of this machine, which prints `reply`.
    fn demo(&self, version: &str, reply: &str, more: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let program = self.folder.path().join(format!("greet-{version}"));
        std::fs::write(&program, format!("#!/bin/sh\n{reply}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let manifest = format!(
            "cog_bundle_version: 4\nname: demo\ndescription: Greets\nversion: {version}\npermissions: [demo:greet]\n\
             commands:\n  greet:\n    executable: {}\n    description: Greets\n    rules: [allow]\n{more}",
            program.display()
        );
        let file = self.folder.path().join(format!("demo-{version}.yaml"));
        std::fs::write(&file, manifest).unwrap();
        file
    }

    fn install(&self, file: &Path) -> String {
        self.done(&format!("bundle install '{}'", file.display()))
    }
}

fn public(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/bundles")
        .join(format!("{name}.yaml"))
}

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

#[test]
fn b2_a_wrong_manifest_is_not_installed_and_its_place_is_marked() {
    let home = Home::new();
    let file = home.demo("0.1.0", "true", "    options: {x: {type: number}}\n");
    let stderr = home.refused(&format!("bundle install '{}'", file.display()));
    assert!(
        stderr.contains("line 11, column 25, #/commands/greet/options/x/type"),
        "{stderr}"
    );
    let right = std::fs::read_to_string(home.demo("0.2.0", "true", "    options: {x: {type: int}}\n")).unwrap();
    for (from, to, place) in [
        (
            "rules: [allow]",
            "rules: [allow, must have demo:other]",
            "#/commands/greet/rules/1: demo:other is not among",
        ),
        (
            "rules: [allow]",
            "rules: [when command is demo:other allow]",
            "#/commands/greet/rules/0: a rule of demo:greet is about demo:other",
        ),
        (
            "[demo:greet]",
            "[demo:greet, site:admin]",
            "line 5, column 27, #/permissions/1: \"site:admin\" is not demo:NAME",
        ),
        (
            "    options: {x: {type: int}}\n",
            "templates:\n  a: {body: \"~each var=$x~\"}\n",
            "#/templates/a/body: line 1 of the template",
        ),
        ("name: demo", "name: site", "#/name: site is reserved"),
    ] {
        let text = right.replace(from, to);
        let wrong = home.folder.path().join("wrong.yaml");
        std::fs::write(&wrong, text).unwrap();
        let stderr = home.refused("bundle install wrong.yaml");
        assert!(
            stderr.contains(place) && stderr.contains("wrong.yaml: line "),
            "{place}\n{stderr}"
        );
    }
    assert!(!home.done("bundle list").contains("demo"));
}

#[test]
fn b3_one_of_several_versions_is_in_use_and_goes_back() {
    let home = Home::new();
    for version in ["0.9.0", "0.10.0"] {
        let file = home.demo(version, &format!("echo {version}"), "");
        let page = home.install(&file);
        assert!(
            page.contains("off until") && page.contains("digest:      sha256:"),
            "{page}"
        );
    }
    assert!(home.refused("demo:greet").contains("demo"), "installed is not enabled");
    // The highest by its numbers, not by its letters; and what it brings is told.
    let page = home.done("bundle enable demo");
    for brought in [
        "demo 0.10.0",
        "executables: ",
        "greet-0.10.0",
        "permissions: demo:greet",
        "run on this host",
    ] {
        assert!(page.contains(brought), "{brought}\n{page}");
    }
    assert_eq!(home.done("demo:greet"), "0.10.0\n");
    home.done("bundle enable demo 0.9.0");
    assert_eq!(home.done("demo:greet"), "0.9.0\n");
    let enabled = home.records("bundle versions demo | jq -c '[.version, .enabled]'");
    assert_eq!(enabled, [json!(["0.9.0", true]), json!(["0.10.0", false])]);
    // `undo` rolls back.
    home.done("undo 4");
    assert_eq!(home.done("demo:greet"), "0.10.0\n");
    let (code, _, stderr) = home.cogdeck(&["run", "--yes", "bundle uninstall demo 0.10.0"]);
    assert!(code != Some(0) && stderr.contains("is in use"), "{stderr}");
    assert!(
        home.refused("bundle enable demo 7.0")
            .contains("installed: 0.9.0, 0.10.0")
    );
    assert!(home.refused("bundle enable dmo").contains("did you mean demo"));
    home.done("bundle disable demo");
    home.refused("demo:greet");
    assert!(home.refused("bundle uninstall demo 0.10.0").contains("--yes"));
    let (code, ..) = home.cogdeck(&["run", "--yes", "bundle uninstall demo 0.10.0"]);
    assert_eq!((code, home.records("bundle versions demo").len()), (Some(0), 1));
}

#[test]
fn b3_a_built_in_name_stays_built_in_until_a_version_is_enabled_by_name() {
    let home = Home::new();
    home.install(&public("net"));
    let native = home.done("help net:dig");
    let refusal = home.refused("bundle enable net");
    assert!(refusal.contains("bundle enable net 0.3.0"), "{refusal}");
    let page = home.done("bundle enable net 0.3.0");
    assert!(page.contains("replaces:    the built-in net"), "{page}");
    assert_ne!(home.done("help net:dig"), native);
    assert!(home.done("help").contains("net (0.3.0)"));
    let states = home.records("bundle list | filter --path=name --matches='^net$' | jq .state");
    assert_eq!(states, [json!("replaced"), json!("enabled")]);
    home.done("bundle disable net");
    assert_eq!(home.done("help net:dig"), native);
}

#[test]
fn b4_what_is_installed_is_pinned_by_its_digest() {
    let home = Home::new();
    let file = home.demo("0.1.0", "echo one", "");
    let refusal = home.refused(&format!(
        "bundle install '{}' --digest sha256:{}",
        file.display(),
        "0".repeat(64)
    ));
    assert!(refusal.contains("E-BUNDLE-044"), "{refusal}");
    home.install(&file);
    home.install(&file);
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + "# another\n").unwrap();
    let again = format!("bundle install '{}'", file.display());
    assert!(home.refused(&again).contains("installed with another content"));
    home.done("bundle enable demo 0.1.0");
    assert!(home.refused(&format!("{again} --force")).contains("is in use"));
    home.done("bundle disable demo");
    home.done(&format!("{again} --force"));
    let digest = home.records("bundle versions demo | jq .digest");
    let sum = Command::new("sha256sum").arg(&file).output().unwrap().stdout;
    let sum = String::from_utf8(sum).unwrap();
    assert_eq!(digest, [json!(format!("sha256:{}", sum.split(' ').next().unwrap()))]);
}

/// Changes what the database keeps, as a broken disk or another program would.
fn spoil(home: &Home, statement: &'static str) {
    let path = home.folder.path().join(".local/state/cogdeck/journal.db");
    let work = async {
        use sqlx::Connection;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let done = sqlx::query(statement).execute(&mut connection).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{statement}");
    };
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(work);
}

#[test]
fn b4_what_is_no_longer_what_was_pinned_is_left_out_and_can_be_replaced() {
    const SPOIL: &str = "UPDATE bundle SET manifest = '{\"manifest\": \"name: evil\"}' WHERE version = '0.1.0'";
    let home = Home::new();
    let (first, second) = (home.demo("0.1.0", "echo one", ""), home.demo("0.2.0", "echo two", ""));
    for file in [&first, &second] {
        home.install(file);
    }
    home.done("bundle enable demo 0.1.0");
    spoil(&home, SPOIL);
    // Everything else goes on, and says why the bundle is not there.
    let (code, stdout, stderr) = home.run("echo on");
    assert_eq!((code, stdout.as_str()), (Some(0), "on\n"));
    assert!(
        stderr.contains("demo 0.1.0 is left out") && stderr.contains("install it again"),
        "{stderr}"
    );
    assert!(home.refused("demo:greet").contains("demo"));
    // Each way out is open: installed again, another version, out of use.
    home.install(&first);
    assert_eq!(home.done("demo:greet"), "one\n");
    spoil(&home, SPOIL);
    home.done("bundle enable demo 0.2.0");
    assert_eq!(home.done("demo:greet"), "two\n");
    let (code, _, stderr) = home.run("bundle enable demo 0.1.0");
    assert!(code != Some(0) && stderr.contains("E-BUNDLE-031"), "{stderr}");
    let (code, ..) = home.cogdeck(&["run", "--yes", "bundle uninstall demo 0.1.0"]);
    assert_eq!((code, home.records("bundle versions demo").len()), (Some(0), 1));
}

#[test]
fn b4_a_folder_comes_with_its_executables_which_stay_what_they_were() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let folder = home.folder.path().join("demo");
    std::fs::create_dir_all(folder.join("bin")).unwrap();
    std::fs::write(
        folder.join("config.yaml"),
        "cog_bundle_version: 4\nname: demo\ndescription: Greets\nversion: 0.1.0\ncommands:\n  greet: {executable: bin/greet, rules: [allow]}\n",
    )
    .unwrap();
    let program = folder.join("bin/greet");
    std::fs::write(&program, "#!/bin/sh\ncat \"${0%/*}/words\"\necho \"in $PWD\"\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(folder.join("bin/words"), "hello\n").unwrap();
    let expected = format!("hello\nin {}\n", home.folder.path().canonicalize().unwrap().display());
    // Its author runs it where it lies.
    let (code, stdout, stderr) = home.cogdeck(&["bundle", "run", "demo", "greet"]);
    assert!(code == Some(0) && stdout.contains("\"hello\""), "{stdout}{stderr}");
    let page = home.done("bundle install demo");
    assert!(page.contains("files:       2 copied from its folder"), "{page}");
    home.done("bundle enable demo");
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(home.done("demo:greet"), expected);
    // What is run is what was installed, or nothing.
    let shelf = home.folder.path().join(".local/state/cogdeck/bundles");
    let own: Vec<PathBuf> = std::fs::read_dir(&shelf)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [own] = own.as_slice() else { panic!("{own:?}") };
    std::fs::write(own.join("bin/greet"), "#!/bin/sh\necho evil\n").unwrap();
    let (code, stdout, stderr) = home.run("demo:greet");
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(
        stderr.contains("E-BUNDLE-031") && stderr.contains("install the bundle again"),
        "{stderr}"
    );
    home.done("bundle disable demo");
    let (code, ..) = home.cogdeck(&["run", "--yes", "bundle uninstall demo 0.1.0"]);
    assert_eq!((code, std::fs::read_dir(&shelf).unwrap().count()), (Some(0), 0));
}

#[test]
fn b3_one_number_is_one_version_however_it_is_written() {
    let home = Home::new();
    home.install(&home.demo("0.10", "echo short", ""));
    let long = home.demo("0.10.0", "echo long", "");
    assert!(
        home.refused(&format!("bundle install '{}'", long.display()))
            .contains("another content")
    );
    home.done(&format!("bundle install '{}' --force", long.display()));
    assert_eq!(home.records("bundle versions demo | jq .version"), [json!("0.10.0")]);
    home.done("bundle enable demo 0.10");
    assert_eq!(home.done("demo:greet"), "long\n");
    for none in ["0.x", "0.10.0.0", "1"] {
        assert!(
            home.refused(&format!("bundle enable demo {none}"))
                .contains("installed: 0.10.0")
        );
    }
}

#[test]
fn b4_a_bundle_comes_through_the_proxy_of_the_environment_and_its_address_is_kept_without_the_token() {
    let mut home = Home::new();
    let manifest = std::fs::read(home.demo("0.1.0", "echo far", "")).unwrap();
    let place = support::tunnel::serve("bundles.example.com", manifest, home.folder.path());
    let stderr = home.refused_or_failed("bundle install https://ana:tok-123456@bundles.example.com/demo.yaml");
    assert!(!stderr.contains("tok-123456"), "{stderr}");
    home.variables
        .push(("SSL_CERT_FILE".to_owned(), place.authority.clone()));
    home.variables
        .push(("HTTPS_PROXY".to_owned(), format!("http://{}", place.proxy)));
    let page = home.done("bundle install https://ana:tok-123456@bundles.example.com/demo.yaml");
    assert!(
        page.contains("source:      https://bundles.example.com/demo.yaml\n"),
        "{page}"
    );
    home.done("bundle enable demo");
    assert_eq!(home.done("demo:greet"), "far\n");
    for line in ["audit", "history", "bundle versions demo", "bundle list"] {
        assert!(!home.done(line).contains("tok-123456"), "{line}");
    }
    let requests = place.requests();
    assert_eq!(requests[0], "CONNECT bundles.example.com:443 HTTP/1.1");
    assert!(
        requests.contains(&"authorization: Basic YW5hOnRvay0xMjM0NTY=".to_owned()),
        "{requests:?}"
    );
    home.variables.push(("NO_PROXY".to_owned(), "example.com".to_owned()));
    let before = place.requests().len();
    home.refused_or_failed("bundle install https://bundles.example.com/demo.yaml --force");
    assert_eq!(place.requests().len(), before, "past the proxy");
}

#[test]
fn b8_b9_b11_layers_are_merged_shown_without_secrets_and_enforced_before_anything_runs() {
    let mut home = Home::new();
    let config = "config:\n  env:\n  - {var: TOKEN, description: of the account}\n  - {var: REGION, description: optional place}\n";
    let file = home.demo(
        "0.1.0",
        "[ -z \"$1\" ] || echo \"of $TOKEN\" >&2; echo \"$TOKEN $REGION\"",
        config,
    );
    home.install(&file);
    home.done("bundle enable demo");
    // A later stage that lacks its configuration: nothing runs, the first stage neither.
    let stderr = home.refused("echo before > file:ran.txt ; demo:greet");
    assert!(
        stderr.contains("E-BUNDLE-011") && stderr.contains("TOKEN") && !stderr.contains("REGION"),
        "{stderr}"
    );
    assert!(!home.folder.path().join("ran.txt").exists());
    home.done("bundle config set demo TOKEN --value t-base");
    home.done("bundle config set demo REGION --value base");
    home.done("bundle config set demo REGION --value ops --layer room/ops");
    home.done("bundle config set demo REGION --value ana --layer user/ana");
    home.done("bundle config set demo REGION --value bob --layer user/bob");
    assert_eq!(home.done("demo:greet"), "t-base ana\n");
    // What was set in plain words is no secret anywhere.
    let (_, _, stderr) = home.run("demo:greet t-base-is-said");
    assert!(
        stderr.contains("note: of t-base") && !stderr.contains("•••"),
        "{stderr}"
    );
    home.done("bundle config unset demo REGION --layer user/ana");
    assert_eq!(home.done("demo:greet"), "t-base base\n");
    let (_, stdout, _) = home.cogdeck(&["run", "--room", "ops", "demo:greet"]);
    assert_eq!(stdout, "t-base ops\n");
    home.variables
        .push(("COGDECK_BUNDLE_DEMO__REGION".to_owned(), "here-and-now".to_owned()));
    assert_eq!(home.done("demo:greet"), "t-base here-and-now\n");
    let shown = home.records("bundle config demo --user bob | jq -c '[.variable, .value, .layer]'");
    assert_eq!(
        shown,
        [
            json!(["REGION", "•••", "environment"]),
            json!(["TOKEN", "t-base", "base"])
        ]
    );
    assert!(!home.done("bundle config demo --all").contains("here-and-now"));
    assert!(
        home.refused("bundle config set demo COG_USERNAME --value root")
            .contains("E-BUNDLE-049")
    );
    assert!(
        home.refused("bundle config set demo X --value 1 --layer team/x")
            .contains("room/NAME")
    );
}

#[test]
fn b10_secrets_are_kept_encrypted_or_not_at_all() {
    let home = Home::new();
    let file = home.demo(
        "0.1.0",
        "test \"$TOKEN\" = tok-123456 && echo same",
        "config: {env: [{var: TOKEN}]}\n",
    );
    home.install(&file);
    home.done("bundle enable demo");
    std::fs::write(home.folder.path().join("token"), "tok-123456\n").unwrap();
    let set = "bundle config set demo TOKEN --secret @token";
    let stderr = home.refused(set);
    assert!(
        stderr.contains("E-SECRET-001") && stderr.contains("cogdeck bundle keygen"),
        "{stderr}"
    );
    let (code, stdout, _) = home.cogdeck(&["bundle", "keygen"]);
    assert!(code == Some(0) && stdout.contains("identity.txt"), "{stdout}");
    assert_ne!(
        home.cogdeck(&["bundle", "keygen"]).0,
        Some(0),
        "a key is never replaced"
    );
    home.done(set);
    assert_eq!(home.done("demo:greet"), "same\n");
    // Neither shown, nor in the journal, nor in any file of ours.
    for line in ["bundle config demo", "bundle config demo --all", "audit", "history"] {
        assert!(!home.done(line).contains("tok-123456"), "{line}");
    }
    let state = home.folder.path().join(".local/state/cogdeck");
    for file in std::fs::read_dir(&state).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&bytes).contains("tok-123456"),
            "{}",
            path.display()
        );
    }
    // Without the key the value is not replaced by another, and nothing runs.
    std::fs::remove_file(home.folder.path().join(".config/cogdeck/identity.txt")).unwrap();
    assert!(home.refused("demo:greet").contains("cannot be decrypted"));
}

#[test]
fn b10_a_secret_is_asked_for_unseen_or_read_and_refused_where_nobody_can_be_asked() {
    use support::terminal::{Key, Terminal};
    let home = Home::new();
    let reply = "test \"$TOKEN\" = tok-123456 && echo same || echo other";
    home.install(&home.demo("0.1.0", reply, "config: {env: [{var: TOKEN}]}\n"));
    home.done("bundle enable demo");
    home.cogdeck(&["bundle", "keygen"]);
    // Nobody to ask: refused before anything runs, and the ways that are left are named.
    let asking = "bundle config set demo TOKEN --secret";
    let stderr = home.refused(asking);
    assert!(stderr.contains("E-SECRET-007") && stderr.contains("@FILE"), "{stderr}");
    for (wrong, why) in [
        ("@nowhere", "cannot be read"),
        ("@/dev/zero", "no file"),
        ("@.", "no file"),
    ] {
        let stderr = home.refused(&format!("{asking} {wrong}"));
        assert!(
            stderr.contains("E-SECRET-008") && stderr.contains(why),
            "{wrong}: {stderr}"
        );
    }
    // A variable's value is data: it never names a file.
    std::fs::write(home.folder.path().join("token"), "tok-123456\n").unwrap();
    home.done("let place = seed '{\"v\": \"@token\"}' ; bundle config set demo TOKEN --secret=\"${place.v}\"");
    assert_eq!(home.done("demo:greet"), "other\n");
    // From standard input.
    let mut child = Command::new(COGDECK)
        .args(["run", &format!("{asking} -")])
        .current_dir(home.folder.path())
        .env_clear()
        .env("HOME", home.folder.path())
        .env("USER", "ana")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"tok-123456\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(home.done("demo:greet"), "same\n");
    home.done(&format!("{asking}=another"));
    assert_eq!(home.done("demo:greet"), "other\n");
    // On a terminal: typed, and not seen. In the console: in the box of approvals, pasted too.
    let place = home.folder.path().to_str().unwrap();
    let variables = [("HOME", place), ("USER", "ana"), ("TERM", "xterm-256color")];
    let patience = std::time::Duration::from_secs(20);
    let mut terminal = Terminal::spawn(COGDECK, &["run", asking], &variables, 100, 20);
    terminal
        .wait_for_text("--secret of cogdeck:bundle-config-set:", patience)
        .unwrap();
    terminal.type_text("tok-1234567\u{7f}");
    terminal.key(Key::Enter);
    terminal.wait_for_text("TOKEN of demo set", patience).unwrap();
    assert!(!terminal.screen().contains("tok-"), "{}", terminal.screen());
    assert!(terminal.exit_status(patience).unwrap().success());
    assert_eq!(home.done("demo:greet"), "same\n");
    home.done(&format!("{asking}=another"));
    let terminal = Terminal::spawn(COGDECK, &[], &variables, 120, 40);
    terminal.wait_for_text("❯", patience).ok();
    terminal
        .wait_until_idle(std::time::Duration::from_millis(300), patience)
        .unwrap();
    terminal.type_text(asking);
    terminal.key(Key::Enter);
    terminal.wait_for_text("a secret value", patience).unwrap();
    terminal.paste("tok-123456\n");
    terminal.wait_for_text("••••••••••", patience).unwrap();
    terminal.key(Key::Enter);
    terminal.wait_for_text("TOKEN of demo set", patience).unwrap();
    assert!(!terminal.screen().contains("tok-"), "{}", terminal.screen());
    assert_eq!(home.done("demo:greet"), "same\n");
    for line in ["audit", "history"] {
        assert!(!home.done(line).contains("tok-123456"), "{line}");
    }
}

#[test]
fn b6_b7_a_reply_is_rendered_by_its_template_and_its_data_is_never_markup() {
    let home = Home::new();
    let reply = r#"case "$COG_ARGV_0" in
  table) printf 'COG_TEMPLATE: list\nJSON\n[{"n": "a|b", "v": "**x**"}, {"n": "c", "v": "\\u001b[2J\\u202e"}]\n' ;;
  text) printf 'NAME  READY\n* pod*  \033[32mok\033[0m \033[2J|\n' ;;
  none) printf 'COG_TEMPLATE: list\nJSON\n[]\n' ;;
  other) printf 'COG_TEMPLATE: nope\nJSON\n{"n": 1}\n' ;;
esac"#;
    let templates = "templates:\n  list:\n    body: |\n      ~if cond=$results empty?~\n      No pods.\n      ~end~\n      ~if cond=$results not_empty?~\n      | Name | Value |\n      |---|---|\n      ~each var=$results as=r~\n      | **~$r.n~** | ~$r.v~ |\n      ~end~\n      ~end~\n";
    let file = home.demo("0.1.0", reply, templates);
    home.install(&file);
    home.done("bundle enable demo");
    let shown = home.done("demo:greet table");
    assert_eq!(shown, "Name   Value\na|b    **x**\nc      ␛[2J·U+202E·\n");
    // In a pipe the record is what counts.
    assert_eq!(home.records("demo:greet table | jq .n"), [json!("a|b"), json!("c")]);
    assert_eq!(
        home.records("demo:greet text"),
        [json!({"body": ["NAME  READY", "* pod*  \u{1b}[32mok\u{1b}[0m \u{1b}[2J|"]})]
    );
    // Nothing came: what the template says about that is said all the same, and nothing flows.
    let (code, stdout, stderr) = home.run("demo:greet none");
    assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
    assert!(stderr.contains("No pods."), "{stderr}");
    assert!(home.records("demo:greet none").is_empty());
    let (code, stdout, stderr) = home.run("demo:greet other");
    assert_eq!((code, stdout.as_str()), (Some(0), "N\n1\n"));
    assert!(stderr.contains("no template \"nope\""), "{stderr}");
}

#[test]
fn b1_variables_of_a_command_that_are_no_text_arrive_as_text() {
    let home = Home::new();
    let file = home.demo(
        "0.1.0",
        "echo \"$LEVEL $LOUD $RATIO\"",
        "    env_vars: {LEVEL: 5, LOUD: true, RATIO: 0.5}\n",
    );
    home.install(&file);
    home.done("bundle enable demo");
    assert_eq!(home.done("demo:greet"), "5 true 0.5\n");
}

#[test]
fn x3_the_harness_shows_both_sides_and_the_rendering() {
    let home = Home::new();
    let reply = r#"printf 'COG_TEMPLATE: one\nJSON\n{"got": %s, "arg": "%s"}\n' "$(cat)" "$COG_ARGV_0""#;
    let more = "templates: {one: {body: \"# none\\n**~$results[0].arg~** is ~$results[0].got.id~\"}}\nconfig: {env: [{var: TOKEN}]}\n";
    let file = home.demo("0.1.0", reply, more);
    let file = file.to_str().unwrap();
    let (code, stdout, stderr) = home.cogdeck(&[
        "bundle",
        "run",
        file,
        "greet",
        "bob",
        "--dry",
        "--input",
        r#"{"id": 7}"#,
    ]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        stdout.contains("COG_ARGV_0=bob") && stdout.contains("{\"id\":7}") && !stdout.contains("rendered"),
        "{stdout}"
    );
    assert!(
        stderr.contains("it would not start") && stderr.contains("TOKEN"),
        "{stderr}"
    );
    let (code, _, stderr) = home.cogdeck(&["bundle", "run", file, "greet", "bob"]);
    assert!(code != Some(0) && stderr.contains("--set NAME=VALUE"), "{stderr}");
    let (code, stdout, stderr) = home.cogdeck(&[
        "bundle",
        "run",
        "--set",
        "TOKEN=tok-123456",
        file,
        "greet",
        "*bob*",
        "--input",
        r#"{"id": 7}"#,
    ]);
    assert_eq!(code, Some(0), "{stderr}");
    for expected in ["TOKEN=•••", "template: one", "\"got\": {", "rendered:\n*bob* is 7\n"] {
        assert!(stdout.contains(expected), "{expected}\n{stdout}");
    }
}

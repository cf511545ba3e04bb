#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::tree::{DEEPEST, MOST_FILES};
use super::*;

const MANIFEST: &str = "cog_bundle_version: 4\nname: demo\ndescription: Greets\nversion: 0.1.0\ncommands:\n  greet: {executable: /bin/echo, rules: [allow]}\n";

fn surroundings(folder: &Path) -> Surroundings {
    Surroundings {
        directory: folder.to_path_buf(),
        scratch: folder.join("scratch"),
        environment: BTreeMap::from([("PATH".to_owned(), std::env::var("PATH").unwrap())]),
        closed: false,
    }
}

async fn fetched(folder: &Path, text: &str) -> Result<Fetched, Report> {
    Source::parse(text, None, None)?.fetch(&surroundings(folder)).await
}

#[test]
fn b4_what_was_typed_says_where_to_look() {
    let parse = |text: &str| Source::parse(text, None, None);
    assert_eq!(parse("bundles/x.yaml").unwrap(), Source::Path("bundles/x.yaml".into()));
    assert!(matches!(parse("https://example.com/x.yaml").unwrap(), Source::Url(_)));
    for git in [
        "git+https://example.com/x",
        "https://example.com/x.git",
        "git@example.com:a/x.git",
        "ssh://example.com/x",
        "git+file:///srv/x",
    ] {
        assert!(matches!(parse(git).unwrap(), Source::Git { .. }), "{git}");
    }
    for refused in [
        "ftp://example.com/x.yaml",
        "git+http://example.com/x",
        "git+ext::sh -c id",
        "git+--upload-pack=id",
        "git+https://example.com/x y",
    ] {
        assert_eq!(parse(refused).unwrap_err().code, "E-BUNDLE-032", "{refused}");
    }
    for (reference, folder) in [
        (Some("--exec=id"), None),
        (Some("a..b"), None),
        (None, Some("../x")),
        (None, Some("a//b")),
    ] {
        assert!(
            Source::parse("git+https://example.com/x", reference, folder).is_err(),
            "{reference:?} {folder:?}"
        );
    }
    assert!(Source::parse("x.yaml", Some("main"), None).is_err());
}

#[tokio::test]
async fn b4_a_file_and_a_folder_with_templates() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("demo.yaml"), MANIFEST).unwrap();
    let file = fetched(folder.path(), "demo.yaml").await.unwrap();
    assert_eq!(file.package, Package::of_manifest(MANIFEST));
    let sum = Command::new("sha256sum")
        .arg(folder.path().join("demo.yaml"))
        .output()
        .unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    assert_eq!(
        file.package.digest(),
        format!("sha256:{}", sum.split(' ').next().unwrap())
    );

    let bundle = folder.path().join("bundle");
    std::fs::create_dir_all(bundle.join("templates")).unwrap();
    std::fs::write(bundle.join("config.yaml"), MANIFEST).unwrap();
    std::fs::write(bundle.join("templates/list.greenbar"), "~count var=$results~").unwrap();
    std::fs::write(bundle.join("templates/README"), "no template").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", bundle.join("templates/stolen.greenbar")).unwrap();
    let found = fetched(folder.path(), "bundle").await.unwrap().package;
    assert_eq!(found.templates.keys().collect::<Vec<_>>(), ["list"]);
    assert_eq!(
        found.load().unwrap().templates.get("list").unwrap().body,
        "~count var=$results~"
    );
    assert_ne!(found.digest(), file.package.digest());
    assert_eq!(Package::of_text(&found.to_text(), &found.digest()).unwrap(), found);
    assert_eq!(
        Package::of_text(&found.to_text(), "sha256:0").unwrap_err().code,
        "E-BUNDLE-031"
    );

    let broken = Package {
        templates: BTreeMap::from([("x".to_owned(), "~end~".to_owned())]),
        ..found
    };
    assert!(
        broken
            .load()
            .unwrap_err()
            .message
            .contains("templates/x.greenbar: line 1")
    );
}

#[tokio::test]
async fn b4_executables_of_a_folder_come_with_it_within_limits_and_links_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    let own = MANIFEST.replace("/bin/echo", "./bin/greet");
    std::fs::create_dir_all(bundle.join("bin")).unwrap();
    std::fs::write(bundle.join("config.yaml"), &own).unwrap();
    let program = bundle.join("bin/greet");
    std::fs::write(&program, "#!/bin/sh\n").unwrap();
    std::fs::write(bundle.join("words"), "hello").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", bundle.join("bin/stolen")).unwrap();
    let complete = async |text: &str| {
        let package = fetched(folder.path(), text).await?.package;
        let manifest = package.load()?;
        package.complete(&manifest)
    };
    assert!(complete("bundle").await.unwrap_err().message.contains("may not be run"));
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, all.clone()).unwrap();
    complete("bundle").await.unwrap();
    let found = fetched(folder.path(), "bundle").await.unwrap();
    assert_eq!(found.contents.keys().collect::<Vec<_>>(), ["bin/greet", "words"]);
    let text = found.package.to_text();
    assert_eq!(Package::of_text(&text, &found.package.digest()).unwrap(), found.package);
    // Every byte is pinned.
    std::fs::write(bundle.join("words"), "hullo").unwrap();
    assert_ne!(
        fetched(folder.path(), "bundle").await.unwrap().package.digest(),
        found.package.digest()
    );

    std::fs::write(folder.path().join("alone.yaml"), &own).unwrap();
    for (path, executable) in [
        ("alone.yaml", None),
        ("bundle", Some("bin/stolen")),
        ("bundle", Some("../bundle/bin/greet")),
    ] {
        if let Some(executable) = executable {
            std::fs::write(bundle.join("config.yaml"), MANIFEST.replace("/bin/echo", executable)).unwrap();
        }
        let report = complete(path).await.unwrap_err();
        assert_eq!(report.code, "E-BUNDLE-051", "{path} {executable:?}: {report}");
    }
    // A bundle that runs files of the host takes nothing along.
    std::fs::write(bundle.join("config.yaml"), MANIFEST).unwrap();
    assert!(fetched(folder.path(), "bundle").await.unwrap().contents.is_empty());
    std::fs::write(bundle.join("config.yaml"), &own).unwrap();
    std::fs::File::create(bundle.join("large"))
        .unwrap()
        .set_len(LARGEST_COPIED + 1)
        .unwrap();
    assert_eq!(complete("bundle").await.unwrap_err().code, "E-BUNDLE-036");
}

#[tokio::test]
async fn b4_what_is_too_large_too_deep_or_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let code = async |text: &str| fetched(folder.path(), text).await.unwrap_err().code;
    assert_eq!(code("missing.yaml").await, "E-BUNDLE-001");
    assert_eq!(code("/dev/zero").await, "E-BUNDLE-001");
    std::fs::write(folder.path().join("large.yaml"), vec![b' '; LARGEST as usize + 1]).unwrap();
    assert_eq!(code("large.yaml").await, "E-BUNDLE-001");
    std::fs::write(folder.path().join("latin.yaml"), [0xe9]).unwrap();
    assert_eq!(code("latin.yaml").await, "E-BUNDLE-001");
    let deep = folder.path().join("deep").join(vec!["d"; DEEPEST + 1].join("/"));
    std::fs::create_dir_all(&deep).unwrap();
    assert_eq!(code("deep").await, "E-BUNDLE-036");
    let many = folder.path().join("many");
    std::fs::create_dir(&many).unwrap();
    for number in 0..=MOST_FILES {
        std::fs::write(many.join(number.to_string()), "").unwrap();
    }
    assert_eq!(code("many").await, "E-BUNDLE-036");
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    assert_eq!(code("empty").await, "E-BUNDLE-037");
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn b4_a_commit_with_entries_that_lead_out_of_their_folder_is_refused() {
    if Command::new("git").arg("--version").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q", "-b", "main", "."]);
    let object = |kind: &str, content: &[u8]| {
        let file = folder.path().join("object");
        std::fs::write(&file, content).unwrap();
        let file = file.display().to_string();
        git(&repository, &["hash-object", "-t", kind, "--literally", "-w", &file])
    };
    let tree = |entries: &[(&str, &str, &str)]| {
        let raw = entries.iter().flat_map(|(mode, name, object)| {
            let bytes = (0..object.len()).step_by(2);
            let bytes = bytes.map(|at| u8::from_str_radix(&object[at..at + 2], 16).unwrap());
            let mut entry = format!("{mode} {name}\0").into_bytes();
            entry.extend(bytes);
            entry
        });
        object("tree", &raw.collect::<Vec<u8>>())
    };
    let manifest = object("blob", MANIFEST.replace("/bin/echo", "./greet").as_bytes());
    let program = object("blob", b"#!/bin/sh\n");
    let inner = tree(&[("100644", "evil", &program)]);
    let url = format!("git+file://{}", repository.display());
    for (name, mode, what) in [
        ("..", "40000", &inner),
        ("../evil", "100644", &program),
        ("/tmp/evil", "100644", &program),
    ] {
        let top = tree(&[
            (mode, name, what),
            ("100644", "config.yaml", &manifest),
            ("100755", "greet", &program),
        ]);
        let commit = git(&repository, &["commit-tree", &top, "-m", "evil"]);
        git(&repository, &["update-ref", "refs/heads/main", &commit]);
        let source = Source::parse(&url, Some("main"), None).unwrap();
        let mut surroundings = surroundings(folder.path());
        let home = folder.path().display().to_string();
        surroundings.environment.insert("HOME".to_owned(), home);
        let report = source.fetch(&surroundings).await.unwrap_err();
        assert!(
            report.code == "E-BUNDLE-037" && report.message.contains("evil"),
            "{name}: {report}"
        );
    }
}

#[tokio::test]
async fn b4_a_repository_is_read_without_hooks_submodules_or_links() {
    if Command::new("git").arg("--version").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (repository, other) = (folder.path().join("repository"), folder.path().join("other"));
    for place in [&repository, &other] {
        std::fs::create_dir(place).unwrap();
        git(place, &["init", "-q", "-b", "main", "."]);
    }
    std::fs::write(other.join("config.yaml"), "no bundle").unwrap();
    git(&other, &["add", "."]);
    git(&other, &["commit", "-qm", "other"]);
    std::fs::create_dir_all(repository.join("demo/templates")).unwrap();
    std::fs::write(repository.join("demo/config.yaml"), MANIFEST).unwrap();
    std::fs::write(repository.join("demo/templates/a.greenbar"), "~$results[0].x~").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", repository.join("demo/templates/b.greenbar")).unwrap();
    // What acts whenever git is used in the usual way: a hook that the operator's own configuration names.
    let witness = folder.path().join("witness");
    let hook = folder.path().join("hooks/reference-transaction");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", witness.display())).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(repository.join(".gitattributes"), "* filter=evil\n").unwrap();
    git(
        &repository,
        &[
            "submodule",
            "--quiet",
            "add",
            &format!("file://{}", other.display()),
            "demo/sub",
        ],
    );
    git(&repository, &["add", "."]);
    git(&repository, &["commit", "-qm", "demo"]);
    let commit = git(&repository, &["rev-parse", "HEAD"]);

    let hooks = folder.path().join("hooks");
    std::fs::write(
        folder.path().join(".gitconfig"),
        format!(
            "[core]\nhooksPath = {}\n[protocol \"file\"]\nallow = always\n",
            hooks.display()
        ),
    )
    .unwrap();
    let usual = Command::new("git")
        .args(["clone", "--quiet"])
        .args([&repository, &folder.path().join("clone")])
        .env("HOME", folder.path())
        .status()
        .unwrap();
    assert!(
        usual.success() && witness.exists(),
        "the hook acts where nobody forbids it"
    );
    std::fs::remove_file(&witness).unwrap();

    let url = format!("git+file://{}", repository.display());
    let source = |reference: Option<&str>| Source::parse(&url, reference, Some("demo")).unwrap();
    let mut surroundings = surroundings(folder.path());
    let home = folder.path().display().to_string();
    surroundings.environment.insert("HOME".to_owned(), home);
    for reference in [None, Some("main")] {
        let found = source(reference).fetch(&surroundings).await.unwrap();
        assert_eq!(found.package.manifest, MANIFEST);
        assert_eq!(found.package.templates.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(found.origin, format!("{url}@{commit}#demo"));
    }
    assert!(!witness.exists());
    assert_eq!(
        std::fs::read_dir(&surroundings.scratch).unwrap().count(),
        0,
        "nothing is left behind"
    );
    let missing = source(Some("no-such-branch")).fetch(&surroundings).await.unwrap_err();
    assert!(
        missing.code == "E-BUNDLE-035" && missing.message.contains("no-such-branch"),
        "{missing}"
    );
    let closed = Surroundings {
        closed: true,
        ..surroundings.clone()
    };
    assert_eq!(source(None).fetch(&closed).await.unwrap_err().code, "E-BUNDLE-033");
    let without = Surroundings {
        environment: BTreeMap::from([("PATH".to_owned(), "/nowhere".to_owned())]),
        ..surroundings
    };
    assert!(
        source(None)
            .fetch(&without)
            .await
            .unwrap_err()
            .message
            .contains("git is not there")
    );
}

#[tokio::test]
async fn b4_a_token_in_an_address_is_used_and_never_shown() {
    if Command::new("git").arg("--version").output().is_err() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Nothing listens: git's own words about it name the address.
    for address in [
        "git+https://ana:tok-123456@127.0.0.1:1/x.git",
        "https://tok-123456@127.0.0.1:1/x.git",
        "https://ana:tok-123456@127.0.0.1:1/x.yaml",
        "git+http://ana:tok-123456@127.0.0.1:1/x",
        "git+https://ana:tok-123456@127.0.0.1:1/x y",
    ] {
        let report = fetched(folder.path(), address).await.unwrap_err();
        let said = format!("{report} {:?}", report.hint);
        assert!(
            said.contains("127.0.0.1:1/x") && !said.contains("tok-123456"),
            "{address}: {said}"
        );
    }
    // What git is given: the header, and an address without it.
    let seen = folder.path().join("seen");
    let program = folder.path().join("git");
    let script = format!("#!/bin/sh\n{{ echo \"$@\"; env; }} >>{}\nexit 1\n", seen.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut surroundings = surroundings(folder.path());
    let path = format!("{}:{}", folder.path().display(), surroundings.environment["PATH"]);
    surroundings.environment.insert("PATH".to_owned(), path);
    surroundings
        .environment
        .insert("SSH_AUTH_SOCK".to_owned(), "/run/agent".to_owned());
    let source = Source::parse("git+https://ana:tok-123456@example.com/x", None, None).unwrap();
    source.fetch(&surroundings).await.unwrap_err();
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(
        seen.contains("SSH_AUTH_SOCK=/run/agent") && !seen.contains("tok-123456"),
        "{seen}"
    );
    assert!(
        seen.contains("GIT_CONFIG_KEY_0=http.https://example.com/x.extraHeader"),
        "{seen}"
    );
    assert!(
        seen.contains("GIT_CONFIG_VALUE_0=Authorization: Basic YW5hOnRvay0xMjM0NTY="),
        "{seen}"
    );
    // Git hands the header on to wherever it is redirected.
    for setting in [
        "GIT_CONFIG_COUNT=2",
        "GIT_CONFIG_KEY_1=http.followRedirects",
        "GIT_CONFIG_VALUE_1=false",
    ] {
        assert!(seen.contains(setting), "{setting}: {seen}");
    }
}

#[tokio::test]
async fn b4_a_url_is_fetched_within_limits_and_over_https_only() {
    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::get;
    let redirect = |to: &'static str| async move {
        (
            StatusCode::FOUND,
            HeaderMap::from_iter([(axum::http::header::LOCATION, to.parse().unwrap())]),
        )
    };
    let router = Router::new()
        .route("/demo.yaml", get(|| async { MANIFEST }))
        .route("/moved", get(move || redirect("/demo.yaml")))
        .route("/round", get(move || redirect("/round")))
        .route("/away", get(move || redirect("http://example.com/x.yaml")))
        .route("/large", get(|| async { vec![b' '; LARGEST as usize + 1] }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let folder = tempfile::tempdir().unwrap();
    for path in ["demo.yaml", "moved"] {
        let found = fetched(folder.path(), &format!("http://{address}/{path}"))
            .await
            .unwrap();
        assert_eq!(found.package, Package::of_manifest(MANIFEST));
    }
    for (url, why) in [
        (format!("http://{address}/round"), "redirects"),
        (format!("http://{address}/away"), "only https"),
        (format!("http://{address}/large"), "larger than"),
        (format!("http://{address}/none"), "404"),
        ("http://example.com/x.yaml".to_owned(), "only https"),
        ("http://127.0.0.1:1/x.yaml".to_owned(), "cannot connect"),
    ] {
        let report = fetched(folder.path(), &url).await.unwrap_err();
        assert!(report.sentence().contains(why), "{url}: {report}");
    }
}

//! From a file, a folder or an address to a version in use, pinned by its digest; and what is refused on the way.

use std::path::PathBuf;
use std::process::Command;

use super::support::tunnel;
use super::{Home, public};
use serde_json::json;

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
    for (file, spoiled) in [("bin/words", "evil\n"), ("bin/greet", "#!/bin/sh\necho evil\n")] {
        let was = std::fs::read(own.join(file)).unwrap();
        std::fs::write(own.join(file), spoiled).unwrap();
        let (code, stdout, stderr) = home.run("demo:greet");
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        for expected in ["E-BUNDLE-031", file, "install the bundle again"] {
            assert!(stderr.contains(expected), "{expected}: {stderr}");
        }
        std::fs::write(own.join(file), was).unwrap();
        assert_eq!(home.done("demo:greet"), expected);
    }
    home.done("bundle disable demo");
    let (code, ..) = home.cogdeck(&["run", "--yes", "bundle uninstall demo 0.1.0"]);
    assert_eq!((code, std::fs::read_dir(&shelf).unwrap().count()), (Some(0), 0));
}

#[test]
fn b4_a_sandbox_keeps_its_bundles_apart_from_the_operators() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let folder = home.folder.path().join("demo");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("config.yaml"),
        "cog_bundle_version: 4\nname: demo\ndescription: Greets\nversion: 0.1.0\ncommands:\n  greet: {executable: ./greet, rules: [allow]}\n",
    )
    .unwrap();
    std::fs::write(folder.join("greet"), "#!/bin/sh\necho hello\n").unwrap();
    std::fs::set_permissions(folder.join("greet"), std::fs::Permissions::from_mode(0o755)).unwrap();
    home.done("bundle install demo");
    home.done("bundle enable demo");
    let line = "bundle install demo && bundle uninstall demo 0.1.0 && bundle install demo";
    let (code, stdout, stderr) = home.cogdeck(&["run", "--sandbox", "--yes", line]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert_eq!(home.done("demo:greet"), "hello\n");
    let state = home.folder.path().join(".local/state/cogdeck");
    let left: Vec<_> = std::fs::read_dir(state)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        left.iter().all(|name| !name.to_string_lossy().starts_with("sandbox")),
        "{left:?}"
    );
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
    let place = tunnel::serve("bundles.example.com", manifest, home.folder.path());
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

//! Hostile texts on the screen: output, names, images, titles, pastes, tags of instances, names and values of DNS records.
//! They stay text: no sequence of theirs reaches the terminal, and the screen stays where it was.

use aws_sdk_ec2::types::Tag;
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};

use super::support::console::{AFTER_ESC, SOON, deploy, input, line, nothing_leaked, see, see_row};
use super::support::process::{COGDECK, Sandbox};
use super::support::terminal::Key;
use super::{console, place};

#[test]
fn hostile_output_names_and_errors_stay_text() {
    let terminal = console(&[], &[], 120, 40);
    let mark = terminal.mark();
    // A colour, a clipboard write, the main screen, a title, a bell, a cleared screen, a cursor report that would be typed.
    let bytes = r"\033]52;c;ZXZpbA==\007\033[?1049l\033]0;owned\007\a\033[2J\033[6n\033P+q544e\033\\evil";
    line(&terminal, &format!("sh 'printf \"{bytes}\"'"));
    // What was typed has `\033` in it; only its answer has the mark for it.
    see(&terminal, "␛]52");
    line(
        &terminal,
        r#"seed '{"name":"\u001b]52;c;ZXZpbA==\u0007\u202egnp.exe 世界 e\u0301 👩‍👩‍👧 \ud55c\uae00"}' | table name"#,
    );
    see_row(&terminal, "the answer, not the line", |row| {
        row.contains("␇") && row.contains("gnp.exe 世界")
    });
    // Pasted controls are text of the line, in its error too.
    terminal.paste("no-such-\x1b]52\x07-command");
    terminal.key(Key::Enter);
    see(&terminal, "there is no command");
    line(&terminal, "sh 'head -c 3000000 /dev/zero | tr \"\\0\" x'");
    see(&terminal, "65536 characters");
    line(&terminal, "echo still here");
    terminal
        .wait_for(
            |screen| {
                screen
                    .lines()
                    .any(|row| row.trim_end().ends_with("  still here") || row.contains("│   still here"))
            },
            SOON,
        )
        .expect("it answers");
    nothing_leaked(&terminal, mark);
    let (y, x) = place(&terminal, "1 chat");
    assert!(y == 1 && x < 6, "the frame is where it was: {}", terminal.screen());
}

#[test]
fn hostile_images_titles_and_toasts_stay_text() {
    let terminal = console(&[], &[], 160, 45);
    deploy(&terminal, "alpha");
    let mark = terminal.mark();
    let evil = r"\u001b]52;c;ZXZpbA==\u0007\u001b[?1049l\u001b[2J\u202egnp.exe";
    // What an object of the cluster may hold: an image with a clipboard write in its tag, in panels, plans and errors.
    line(&terminal, &format!("let evil = seed '\"evil{evil}\"'"));
    // The next line is checked when it is entered: the name must have its value by then.
    see(&terminal, "as of ");
    line(
        &terminal,
        "kubectl:set image deploy alpha \"alpha=so0k/kuar-inspector:${evil}\"",
    );
    terminal
        .wait_for(|screen| screen.contains("evil␛]52"), SOON)
        .expect("the image as text");
    line(&terminal, "kubectl:describe deploy \"no${evil}\"");
    see(&terminal, "error[");
    // The title and the rows of a panel, the status line, a toast.
    line(&terminal, &format!("seed '\"title{evil}\"' | jq -r . | pin"));
    see(&terminal, "is the panel pin1");
    // Typed it was `\u001b`: this is a row of the panel.
    see(&terminal, "title␛]52");
    line(&terminal, ":unpin pin1");
    see(&terminal, "unpinned: ");
    terminal.paste(":ns evil\x1b]52;c;ZXZpbA==\x07\x1b[2J\u{202e}");
    terminal.key(Key::Enter);
    see(&terminal, "namespace evil");
    terminal.paste(":present /no/such\x1b]52;c;ZXZpbA==\x07\x1b[?1049l\u{202e}file");
    terminal.key(Key::Enter);
    see(&terminal, "cannot read /no/such");
    line(&terminal, "echo still here");
    terminal
        .wait_for(|screen| screen.lines().any(|row| row.contains("  still here")), SOON)
        .expect("it answers");
    nothing_leaked(&terminal, mark);
}

/// A client of the sandbox's AWS endpoint.
macro_rules! client {
    ($service:ident, $sandbox:expr) => {{
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
                aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
            ))
            .build_https();
        let (key, secret) = ($sandbox.env("AWS_ACCESS_KEY_ID"), $sandbox.env("AWS_SECRET_ACCESS_KEY"));
        let config = $service::Config::builder()
            .behavior_version($service::config::BehaviorVersion::latest())
            .http_client(http)
            .endpoint_url($sandbox.env("AWS_ENDPOINT_URL"))
            .region($service::config::Region::new($sandbox.env("AWS_REGION").to_owned()))
            .credentials_provider($service::config::Credentials::new(key, secret, None, None, "test"))
            .build();
        $service::Client::from_conf(config)
    }};
}

/// A clipboard write, a cleared screen and a title in 8-bit controls (XML has no others), and an end from right to left.
const HOSTILE: &str = "\u{9d}52;c;ZXZpbA==\u{9c}\u{9b}2J\u{9d}0;owned\u{9c}\u{202e}gnp.exe";

/// Gives every instance hostile tags: a name, a key, a value as long as they may be.
async fn tag_instances(sandbox: &Sandbox) {
    let ec2 = client!(aws_sdk_ec2, sandbox);
    let all = ec2.describe_instances().send().await.unwrap();
    let instances = all
        .reservations()
        .iter()
        .flat_map(|reservation| reservation.instances());
    let ids: Vec<String> = instances
        .filter_map(|instance| instance.instance_id().map(str::to_owned))
        .collect();
    assert!(ids.len() >= 6, "{ids:?}");
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    let long = format!("long{HOSTILE}{}", "世".repeat(200));
    let tags = [
        tag("Name", &format!("evil{HOSTILE}")),
        tag(&format!("key{HOSTILE}"), "value"),
        tag("long", &long),
    ];
    let set = ec2.create_tags().set_resources(Some(ids)).set_tags(Some(tags.into()));
    set.send().await.unwrap();
}

/// A zone and records whose names and values hold what Route 53 takes: bytes in octal, labels of full length.
async fn fill_zones(sandbox: &Sandbox) {
    let r53 = client!(aws_sdk_route53, sandbox);
    let evil = r"evil\033]52;c;zxzpba==\007\033[2j\342\200\256gnp";
    let made = r53
        .create_hosted_zone()
        .name(format!("zone{evil}.example"))
        .caller_reference("1");
    let zone = made.send().await.unwrap().hosted_zone().unwrap().clone();
    let long = format!("{}.{}.{}", "l".repeat(63), "o".repeat(63), "n".repeat(63));
    for (zone, apex) in [(zone.id(), zone.name()), ("Z37AJ8CHRUEZC6", "spawnhub.com")] {
        let changes = [format!("{evil}.{apex}"), format!("{long}.{apex}")].map(|name| {
            let text = format!("\"text{}\"", r"\033]52;c;ZXZpbA==\007\233\062J\342\200\256gnp.exe");
            let value = ResourceRecord::builder().value(text).build().unwrap();
            let set = ResourceRecordSet::builder().name(name).r#type(RrType::Txt).ttl(60);
            let set = set.resource_records(value).build().unwrap();
            Change::builder()
                .action(ChangeAction::Create)
                .resource_record_set(set)
                .build()
                .unwrap()
        });
        let batch = ChangeBatch::builder()
            .set_changes(Some(changes.into()))
            .build()
            .unwrap();
        r53.change_resource_record_sets()
            .hosted_zone_id(zone)
            .change_batch(batch)
            .send()
            .await
            .unwrap();
    }
}

#[test]
fn hostile_tags_and_names_of_zones_and_records_stay_text() {
    let sandbox = Sandbox::start(&["--speed", "50"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        tag_instances(&sandbox).await;
        fill_zones(&sandbox).await;
    });
    for (columns, rows) in [(160, 45), (80, 24)] {
        let terminal = sandbox.terminal(COGDECK, &[], columns, rows);
        see(&terminal, "Pipelines run in");
        let mark = terminal.mark();
        // The panels, each as large as the screen; long names are cut in their middle.
        line(&terminal, ":instances");
        terminal.type_text("z");
        see_row(&terminal, "the name in the panel", |row| {
            row.contains("evil") && row.contains("np.exe")
        });
        terminal.type_text("i");
        line(&terminal, ":dns");
        terminal.type_text("z");
        see_row(&terminal, "the zone in the panel", |row| row.contains("zoneev"));
        // Each row opened: it then shows its values whole.
        for _ in 0..10 {
            terminal.type_text("j");
        }
        see_row(&terminal, "a record's value", |row| {
            row.contains("TXT") && row.contains("text")
        });
        terminal.type_text("i");
        // The chat: texts as they are, tables, whole records.
        let typed = [
            "instance-search tag:long=* | jq -r .tags.Name",
            "ec2:instance-list",
            "instance-search tag:long=* | jq .tags",
            "r53:record-list -z Z37AJ8CHRUEZC6",
            "r53:record-list -z Z37AJ8CHRUEZC6 | jq -r .Name",
        ];
        for (number, typed) in typed.into_iter().enumerate() {
            line(&terminal, &format!("{typed}; echo end-{number}"));
            line(&terminal, ":chat");
            let end = format!("  end-{number}");
            see_row(&terminal, typed, |row| row.contains(&end));
            if number == 0 {
                assert!(terminal.screen().contains("gnp.exe"), "{}", terminal.screen());
            }
            terminal.type_text("i");
        }
        // A completion offers the tag without its controls.
        terminal.type_text("instance-search tag:Name=ev");
        terminal.key(Key::Tab);
        see_row(&terminal, "what fits", |row| {
            row.contains("tag:Name=evil") || row.contains("evil·U+009D·")
        });
        terminal.key(Key::Escape);
        std::thread::sleep(AFTER_ESC);
        terminal.key(Key::Ctrl('c'));
        terminal
            .wait_for(|_| !input(&terminal).contains("instance-search"), SOON)
            .expect("an empty line");
        line(&terminal, "echo still here");
        line(&terminal, ":chat");
        see_row(&terminal, "it answers", |row| row.contains("  still here"));
        nothing_leaked(&terminal, mark);
    }
}

//! The checklist's rows that concern the grammar, by their ids, and the talk's lines byte for byte.

use super::*;

#[test]
fn l01_pipes_need_no_blanks() {
    for source in ["a x|b", "a x | b", "a x |b", "a x| b", "a x |\n b"] {
        assert_eq!(stages(source), [[vec!["a", "x"], vec!["b"]]], "{source:?}");
    }
    assert_eq!(words("echo 'a|b'"), ["echo", "a|b"]);
    assert_eq!(words("echo a\\|b"), ["echo", "a|b"]);
}

#[test]
fn l02_and_or_sequence_background_are_real() {
    use Connector::*;
    let connectors = |source: &str| -> Vec<Option<Connector>> {
        parse(source).unwrap().items.iter().map(|item| item.then).collect()
    };
    assert_eq!(
        connectors("a&&b||c;d&e"),
        [Some(And), Some(Or), Some(Sequence), Some(Background), None]
    );
    assert_eq!(connectors("a &"), [Some(Background)]);
    assert_eq!(connectors("a;"), [Some(Sequence)]);
    assert_eq!(connectors("a\n\n  b\n"), [Some(Sequence), None]);
    assert_eq!(connectors("a &&\n b"), [Some(And), None]);
    assert_eq!(connectors("a &\nb"), [Some(Background), None]);
    assert_eq!(connectors("# one\na\n  # two\nb # text"), [Some(Sequence), None]);
    assert!(connectors("").is_empty() && connectors(" \n# only\n").is_empty());
}

#[test]
fn l03_l04_names_and_git_style_words_stay_as_typed() {
    assert_eq!(
        words("kubectl:set image deploy x=y"),
        ["kubectl:set", "image", "deploy", "x=y"]
    );
    assert_eq!(words("bundle install ec2"), ["bundle", "install", "ec2"]);
}

#[test]
fn l05_quotes_and_escapes() {
    let table = [
        (r#"echo 'a "b" $c ${d} \n | `x`'"#, r#"a "b" $c ${d} \n | `x`"#),
        (r#"echo "a\"b""#, r#"a"b"#),
        (r#"echo "a\\b""#, r"a\b"),
        (r#"echo "\$x \${x} \`""#, "$x ${x} `"),
        (r#"echo "[0-9]\.[0-9]+$""#, r"[0-9]\.[0-9]+$"),
        (r#"echo "ssh://\(.)""#, r"ssh://\(.)"),
        (r#"echo "$name costs $5""#, "$name costs $5"),
        (r#"echo a"b c"d'e f'\ g"#, "ab cde f g"),
        (r"echo \$x\;\\", r"$x;\"),
        ("echo ''", ""),
        ("echo \"a\nb\"", "a\nb"),
        ("echo \"a\\\nb\"", "ab"),
        ("echo costs$", "costs$"),
        ("echo $", "$"),
        ("echo $%", "$%"),
        ("echo ./f", "./f"),
        ("echo [x]", "[x]"),
        ("echo a#b", "a#b"),
        ("echo 'ünï'日", "ünï日"),
    ];
    for (source, wanted) in table {
        assert_eq!(words(source), ["echo", wanted], "{source:?}");
    }
    assert_eq!(words("echo a \\\n  b"), ["echo", "a", "b"]);
    assert_eq!(words("echo hi .x [0]"), ["echo", "hi", ".x", "[0]"]);
}

#[test]
fn l06_paths() {
    use Step::{Index, Key};
    let key = |key: &str| Key(key.to_owned());
    let name = |name: &str| Root::Name(name.to_owned());
    let table = [
        ("$x", name("x"), vec![]),
        ("$x.y[0]", name("x"), vec![key("y"), Index(0)]),
        ("$x[-1]", name("x"), vec![Index(-1)]),
        ("$x[key]", name("x"), vec![key("key")]),
        ("$x['a key'].z", name("x"), vec![key("a key"), key("z")]),
        (r#"$x["k\"q"]"#, name("x"), vec![key("k\"q")]),
        (
            "$x[0].'key with blank'",
            name("x"),
            vec![Index(0), key("key with blank")],
        ),
        (
            "$x.labels[app.kubernetes.io/name]",
            name("x"),
            vec![key("labels"), key("app.kubernetes.io/name")],
        ),
        ("$group-name.a-b", name("group-name"), vec![key("a-b")]),
        ("$_", Root::Last, vec![]),
        (
            "$_.status.loadBalancer.ingress[0].hostname",
            Root::Last,
            vec![
                key("status"),
                key("loadBalancer"),
                key("ingress"),
                Index(0),
                key("hostname"),
            ],
        ),
        ("$41", Root::Block(41), vec![]),
        ("$41.items[2]", Root::Block(41), vec![key("items"), Index(2)]),
        ("${x.y}", name("x"), vec![key("y")]),
        ("${'Content Type'.y}", name("Content Type"), vec![key("y")]),
        ("$_private", name("_private"), vec![]),
    ];
    for (source, root, steps) in table {
        let word = word(&format!("echo {source}"));
        let (path, default) = word.as_variable().unwrap_or_else(|| panic!("{source}"));
        assert_eq!((&path.root, &path.steps), (&root, &steps), "{source}");
        assert!(default.is_none());
    }
}

#[test]
fn l07_interpolation() {
    let parts = |source: &str| -> Vec<String> {
        let part = |part: &Part| match part {
            Part::Text { text, .. } => text.clone(),
            Part::Variable { path, quoted, .. } => format!("<{}{}>", print(path), if *quoted { "" } else { " bare" }),
        };
        word(source).parts.iter().map(part).collect()
    };
    assert_eq!(
        parts(r#"echo "http://${host}:${port[0]}/""#),
        ["http://", "<$host>", ":", "<$port[0]>", "/"]
    );
    assert_eq!(parts("echo $host:80"), ["<$host bare>", ":80"]);
    assert_eq!(parts("echo $name,"), ["<$name bare>", ","]);
    assert_eq!(parts("echo ${host}-1"), ["<$host bare>", "-1"]);
    assert_eq!(parts("echo $41abc"), ["<$41 bare>", "abc"]);
    assert_eq!(parts(r#"echo "${x["k"]}""#), ["<$x.k>"]);
    assert!(
        word(r#"echo "${x}""#).as_variable().is_none(),
        "in quotes a variable becomes text"
    );
    assert_eq!(word("echo '${x}'").literal().unwrap(), "${x}");
}

#[test]
fn l08_defaults() {
    let default = |source: &str| match &word(source).parts[..] {
        [
            Part::Variable {
                default: Some(word), ..
            },
        ] => word.literal().unwrap_or_else(|| print(&**word)),
        parts => panic!("{source}: {parts:?}"),
    };
    assert_eq!(default("echo ${x:-d}"), "d");
    assert_eq!(default("echo ${x.y[0]:-5}"), "5");
    assert_eq!(default("echo ${x:-'a b}'}"), "a b}");
    assert_eq!(default("echo ${x:-}"), "");
    assert_eq!(default(r#"echo "${x:-not here}""#), "not here");
    assert_eq!(default(r#"echo "${x:-a\}b}""#), "a}b");
    assert_eq!(default("echo ${x:-${y:-z}}"), "${y:-z}");
    let word = word("echo --image=${x:-y}");
    let option = word.as_option().unwrap();
    let value = option.value.unwrap();
    let (_, default) = value.as_variable().unwrap();
    assert_eq!(default.unwrap().plain(), Some("y"));
}

#[test]
fn l09_l10_options() {
    let options = |source: &str| -> Vec<bool> { stage(source).words.iter().map(Word::is_option).collect() };
    assert_eq!(
        options("c -z A --type=b -abc -- -x - -5 -.5 -1e3 -5d '-q' \\-q a-b"),
        [
            false, true, false, true, true, true, true, false, false, false, false, true, false, false, false
        ]
    );
    let split = |source: &str| {
        let option = word(source).as_option().unwrap();
        (option.name, option.value.map(|value| value.literal().unwrap()))
    };
    assert_eq!(split("c --x=-foo"), ("--x".into(), Some("-foo".into())));
    assert_eq!(split("c --x=\"a b\"c"), ("--x".into(), Some("a bc".into())));
    assert_eq!(split("c --x="), ("--x".into(), Some(String::new())));
    assert_eq!(split("c --x=a=b"), ("--x".into(), Some("a=b".into())));
    assert_eq!(split("c -it"), ("-it".into(), None));
    assert_eq!(split("c --"), ("--".into(), None));
}

#[test]
fn l14_l15_redirects() {
    let redirect = |source: &str| {
        let redirect = parse(source).unwrap().items[0].pipeline.redirect.clone().unwrap();
        let targets: Vec<String> = redirect.targets.iter().map(print).collect();
        (redirect.mode, targets)
    };
    let own = |texts: &[&str]| -> Vec<String> { texts.iter().map(|&text| text.to_owned()).collect() };
    assert_eq!(redirect("a > here"), (RedirectMode::One, own(&["here"])));
    assert_eq!(redirect("a>here"), (RedirectMode::One, own(&["here"])));
    assert_eq!(
        redirect("a | b *> #ops @ada me chat://#room file:out.json"),
        (
            RedirectMode::Many,
            own(&["#ops", "@ada", "me", "chat://#room", "file:out.json"])
        )
    );
    assert_eq!(redirect("a*>me"), (RedirectMode::Many, own(&["me"])));
    assert_eq!(
        redirect("a > $room \"#${r[0]}\""),
        (RedirectMode::One, own(&["$room", "\"#${r[0]}\""]))
    );
    assert!(parse("a > here && b > me; c").is_ok());
    assert_eq!(words("echo '*>' a\\>b *"), ["echo", "*>", "a>b", "*"]);
}

#[test]
fn l18_modifiers_and_contexts_stand_before_the_command() {
    let modifiers = |source: &str| -> Vec<String> {
        let stage = stage(source);
        assert_eq!(stage.words[0].plain(), Some("web:uptime"), "{source}");
        stage
            .modifiers
            .iter()
            .map(|modifier| match &modifier.kind {
                ModifierKind::Context(Contexts::Every) => "every".to_owned(),
                ModifierKind::Context(Contexts::Named(names)) => {
                    let names: Vec<String> = names.iter().map(print).collect();
                    format!("@{}", names.join(" + "))
                }
                ModifierKind::On(word) => format!("on {}", print(word)),
                ModifierKind::Parallel(word) => format!("parallel {}", print(word)),
                ModifierKind::OnError(word) => format!("on-error {}", print(word)),
                ModifierKind::Timeout(word) => format!("timeout {}", print(word)),
            })
            .collect()
    };
    assert_eq!(
        modifiers("on=group:web parallel=4 @prod on-error=continue timeout=30s web:uptime on=x @y"),
        [
            "on group:web",
            "parallel 4",
            "@prod",
            "on-error continue",
            "timeout 30s"
        ]
    );
    assert_eq!(
        modifiers("on='label=value' @$ctx web:uptime"),
        ["on 'label=value'", "@$ctx"]
    );
    assert!(modifiers("@cog web:uptime").is_empty());
    let lists = [
        ("@blue,green web:uptime", "@blue + green"),
        (
            "!@'a,b',c\\,d,\"e ${f}\",$g web:uptime",
            "@'a,b' + c\\,d + \"e ${f}\" + $g",
        ),
        ("@* web:uptime", "every"),
        ("@'*' web:uptime", "@'*'"),
        ("@a*,b web:uptime", "@a* + b"),
        ("@cog,b web:uptime", "@cog + b"),
        (
            "@arn:aws:eks:eu-1:12:cluster/a,gke_b_c web:uptime",
            "@arn:aws:eks:eu-1:12:cluster/a + gke_b_c",
        ),
    ];
    for (source, wanted) in lists {
        assert_eq!(modifiers(source), [wanted], "{source}");
        assert_eq!(print(&parse(source).unwrap()), source.trim_start_matches('!'));
    }
    let source = "@blue,'gr een' y";
    let ModifierKind::Context(Contexts::Named(names)) = stage(source).modifiers.remove(0).kind else {
        panic!("no list of contexts");
    };
    let places: Vec<&str> = names.iter().map(|name| name.span.of(source)).collect();
    assert_eq!(places, ["blue", "'gr een'"]);
    assert_eq!(
        parse("a | @prod b | on=x c").unwrap().items[0].pipeline.stages[2]
            .modifiers
            .len(),
        1
    );
    // Quoted or not first, they are arguments.
    assert!(stage("'@prod' x").modifiers.is_empty());
    assert_eq!(words("echo on=x @y"), ["echo", "on=x", "@y"]);
}

#[test]
fn l23_prefixes_mean_nothing_and_repeat_stands_alone() {
    for source in [
        "!help kubectl",
        "! help kubectl",
        "@cog help kubectl",
        "@cog: help kubectl",
        "!@cog help kubectl",
        " !help kubectl",
    ] {
        assert_eq!(words(source), ["help", "kubectl"], "{source}");
    }
    assert!(parse("!").unwrap().items.is_empty());
    assert!(parse("@cog").unwrap().items.is_empty());
    assert!(is_repeat(" !! ") && !is_repeat("!!x"));
    assert_eq!(stages("!a\n!b && !c").len(), 3);
}

#[test]
fn let_names_a_pipeline() {
    for source in [
        "let elb = kubectl:get svc x | jq .a",
        "let elb=kubectl:get svc x | jq .a",
        "let elb= kubectl:get svc x|jq .a",
        "!let elb =kubectl:get svc x | jq .a",
    ] {
        let pipeline = parse(source).unwrap().items.remove(0).pipeline;
        assert_eq!(pipeline.binding.as_ref().unwrap().name, "elb", "{source}");
        assert_eq!(pipeline.stages.len(), 2);
        assert_eq!(pipeline.stages[0].words[0].plain(), Some("kubectl:get"));
    }
    let binding = |source: &str| {
        parse(source)
            .unwrap()
            .items
            .pop()
            .unwrap()
            .pipeline
            .binding
            .unwrap()
            .name
    };
    assert_eq!(binding("a; let x = @prod b"), "x");
    assert_eq!(words("help let"), ["help", "let"]);
    assert_eq!(words("'let' x"), ["let", "x"]);
}

#[test]
fn spans_point_at_the_source() {
    let source = "a && let n = @p on='x y' cmd \"q ${v:-d}\" --o=$w > #r";
    let line = parse(source).unwrap();
    let pipeline = &line.items[1].pipeline;
    let stage = &pipeline.stages[0];
    assert_eq!(pipeline.span.of(source), &source[5..]);
    assert_eq!(pipeline.binding.as_ref().unwrap().span.of(source), "n");
    assert_eq!(stage.modifiers[1].span.of(source), "on='x y'");
    let ModifierKind::On(value) = &stage.modifiers[1].kind else {
        panic!()
    };
    assert_eq!(value.span.of(source), "'x y'");
    assert_eq!(stage.span.of(source), "@p on='x y' cmd \"q ${v:-d}\" --o=$w");
    assert_eq!(stage.words[1].parts[1].span().of(source), "${v:-d}");
    assert_eq!(stage.words[2].as_option().unwrap().value.unwrap().span.of(source), "$w");
    assert_eq!(pipeline.redirect.as_ref().unwrap().targets[0].span.of(source), "#r");
}

#[test]
fn the_talks_lines_parse_byte_for_byte() {
    let talk = [
        "!help kubectl",
        "!help kubectl:run",
        "!kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80",
        "!kubectl:expose deploy inspector --type=LoadBalancer",
        "!r53:record-create -z Z37AJ8CHRUEZC6 -t CNAME inspector.spawnhub.com $_.status.loadBalancer.ingress[0].hostname",
        "!r53:record-create -z Z37AJ8CHRUEZC6 -t A -a Z1GM3OXH4ZPM65 spawnhub.com a1b2.ap-southeast-2.elb.amazonaws.com",
        "!dig --short inspector.spawnhub.com",
        "!kubectl:scale deploy inspector --replicas=3",
        "!kubectl:set image deploy inspector inspector=so0k/kuar-inspector:2.0.0",
        "kubectl:get deploy | kubectl:describe",
    ];
    for source in talk {
        let line = parse(source).unwrap();
        assert_eq!(
            print(&line),
            source.trim_start_matches('!'),
            "printing keeps the spelling"
        );
    }
    assert_eq!(
        stages(
            r#"!instance-search 'tag:KubernetesCluster=staging.spawnhub.com' | jq '.public_ip_address | values | "ssh://admin@\(.)"'"#
        ),
        [[
            vec!["instance-search", "tag:KubernetesCluster=staging.spawnhub.com"],
            vec!["jq", r#".public_ip_address | values | "ssh://admin@\(.)""#]
        ]]
    );
}

#[test]
fn heads_that_would_be_read_otherwise_are_quoted() {
    let heads = ["#x", "!x", "!!", "@x", "let", "while", "on=x", "a=b", "-x", "", "x y"];
    for head in heads {
        let bare = Part::Text {
            text: head.to_owned(),
            quote: Quote::None,
            span: Span::default(),
        };
        let mut stage = Stage::new("x");
        stage.words[0].parts = vec![bare];
        let printed = print(&stage);
        assert_eq!(words(&printed), [head], "{printed}");
        let data = print(&Stage::new("x").arg(head));
        assert_eq!(words(&data), ["x", head], "{data}");
    }
    let pod = Stage::new("kubectl:delete")
        .arg("pod")
        .arg("x'; kubectl:delete ns prod");
    assert_eq!(print(&pod), "kubectl:delete pod \"x'; kubectl:delete ns prod\"");
    let scale = Stage::new("kubectl:scale")
        .option("--replicas", Some("3"))
        .option("--all", None);
    assert_eq!(print(&scale), "kubectl:scale --replicas=3 --all");
    assert!(stage("x --all").words[1].is_option() && scale.words.iter().skip(1).all(Word::is_option));
}

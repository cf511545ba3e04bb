//! The pasted polling loop and its sensible variants; everything else stays refused.

use super::*;

fn translation(source: &str) -> Option<String> {
    read(source).ok()?.translation
}

#[test]
fn the_talks_loops_become_traffic_watch() {
    let loops = [
        (
            r"while true; do curl -s http://inspector.spawnhub.com/net | egrep -o '100\.[0-9]+\.[0-9]+\.[0-9]+' | head -n 1; sleep .5; done",
            r"traffic:watch http://inspector.spawnhub.com/net --match '100\.[0-9]+\.[0-9]+\.[0-9]+' --interval 500ms",
        ),
        (
            "while true; do curl -s http://inspector.spawnhub.com/ | egrep -o 'Version: Inspector [0-9].[0-9].[0-9]' | head -n 1; sleep .5; done",
            "traffic:watch http://inspector.spawnhub.com/ --match 'Version: Inspector [0-9].[0-9].[0-9]' --interval 500ms",
        ),
    ];
    for (source, wanted) in loops {
        assert_eq!(translation(source).as_deref(), Some(wanted));
    }
}

#[test]
fn sensible_variants() {
    let table = [
        (
            "!while :; do curl -sS -f http://x; sleep 1; done",
            "traffic:watch http://x --interval 1s",
        ),
        (
            "while true\ndo\n  curl -sSfL -m 2 http://x | grep -oE \"a\\.b\" | head -1\n  sleep 0.25\ndone\n",
            r"traffic:watch http://x --match 'a\.b' --interval 250ms",
        ),
        (
            "while true;do curl -s -m5 'http://x/?a=1&b=2'|egrep -o v[0-9]|head -n1;sleep 2s;done",
            "traffic:watch 'http://x/?a=1&b=2' --match 'v[0-9]' --interval 2s",
        ),
        (
            "while true; do curl --silent --max-time=3 http://x 2>/dev/null | grep -o 'v[0-9]\\+'; echo; sleep 1m; done",
            "traffic:watch http://x --match 'v[0-9]+' --interval 60s",
        ),
        (
            "while true; do curl -s http://x | grep -o '[+]a+(b)'; sleep 1; done",
            r"traffic:watch http://x --match '[+]a\+\(b\)' --interval 1s",
        ),
        (
            "while true; do curl -s http://x | grep -Fo 'a.b'; sleep 1; done",
            r"traffic:watch http://x --match 'a\.b' --interval 1s",
        ),
        (
            "while true; do curl -s http://x | grep -i ok; sleep 1; done",
            "traffic:watch http://x --match '(?i).*(ok).*' --interval 1s",
        ),
        (
            "while sleep 1; do curl -s http://x; done;",
            "traffic:watch http://x --interval 1s",
        ),
        (
            "while true; do curl -s http://x | egrep -o -e '-x'; sleep 1; done",
            "traffic:watch http://x --match '-x' --interval 1s",
        ),
    ];
    for (source, wanted) in table {
        assert_eq!(translation(source).as_deref(), Some(wanted), "{source}");
    }
}

#[test]
fn what_would_mean_something_else_is_refused_with_a_hint() {
    let others = [
        "while true; do curl -s http://x; done",
        "while true; do curl -s http://x; sleep 0; done",
        "while true; do curl -s http://x; sleep x; done",
        "while true; do curl -s http://x; sleep 1; sleep 1; done",
        "while true; do curl -s -X POST http://x; sleep 1; done",
        "while true; do curl -s -o f http://x; sleep 1; done",
        "while true; do curl -s http://x http://y; sleep 1; done",
        "while true; do curl -s; sleep 1; done",
        "while true; do curl -s $URL; sleep 1; done",
        "while true; do curl -s http://x | grep -v a; sleep 1; done",
        "while true; do curl -s http://x | head -n 5; sleep 1; done",
        "while true; do curl -s http://x | egrep -o a | head -n 1 | wc; sleep 1; done",
        "while true; do curl -s http://x > f; sleep 1; done",
        "while true; do curl -s http://x 2>err; sleep 1; done",
        "while true; do curl -s http://x; rm -rf x; sleep 1; done",
        "while true; do curl -s http://x; sleep 1; done | jq .",
        "while true; do curl -s http://x; sleep 1; done; ls",
        "while true; do curl -s http://x && sleep 1; done",
        "while true; do curl -s http://$(id); sleep 1; done",
        "while read l; do curl -s http://x; sleep 1; done",
        "until true; do curl -s http://x; sleep 1; done",
        "while true; do curl -s http://x; sleep 1;",
        "while true; do wget http://x; sleep 1; done",
    ];
    for source in others {
        let error = read(source).expect_err(source);
        assert!(error.hint.unwrap().contains("sh '…'"), "{source}");
    }
    assert_eq!(translation("kubectl:get po"), None);
    assert!(read("'while' true").is_ok());
}

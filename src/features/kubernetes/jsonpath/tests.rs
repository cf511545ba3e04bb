#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::json;

fn pods() -> Value {
    json!({"kind": "List", "items": [
        {"metadata": {"name": "a", "labels": {"app.kubernetes.io/name": "x", "b": "1"}}, "status": {"n": 1, "ok": true}},
        {"metadata": {"name": "b"}, "status": {"n": 20, "ok": false}},
        {"metadata": {"name": "c"}, "status": {"n": 3}}]})
}

fn render(template: &str) -> String {
    JsonPath::parse(template).unwrap().render(&pods()).unwrap()
}

#[test]
fn fields_lists_and_slices() {
    assert_eq!(render("{.items[*].metadata.name}"), "a b c");
    assert_eq!(
        render("{$.items[0].metadata['name']}-{.items[-1].metadata.name}"),
        "a-c"
    );
    assert_eq!(
        render("{.items[0:2].metadata.name} {.items[-1:].metadata.name}"),
        "a b c"
    );
    assert_eq!(render("{.items[::2].metadata.name}"), "a c");
    assert_eq!(
        render("{.items[0,2]['metadata.name', 'kind']}"),
        "",
        "a union's keys are no paths"
    );
    assert_eq!(
        render("{.items[0,2].metadata['name','labels']}"),
        r#"a {"app.kubernetes.io/name":"x","b":"1"} c"#
    );
    assert_eq!(render(r"{.items[0].metadata.labels.app\.kubernetes\.io/name}"), "x");
    assert_eq!(render(r"{.items[0].metadata.labels['app\.kubernetes\.io/name']}"), "x");
    assert_eq!(render("{..name}"), "a b c");
    assert_eq!(render("{.nope.deeper}|{.items[0].metadata.labels.*}"), "|x 1");
}

#[test]
fn ranges_texts_and_filters() {
    assert_eq!(
        render(r#"{range .items[*]}{.metadata.name}{"\t"}{.status.n}{"\n"}{end}"#),
        "a\t1\nb\t20\nc\t3\n"
    );
    assert_eq!(render("{.items[?(@.status.n>2)].metadata.name}"), "b c");
    assert_eq!(render("{.items[?(@.metadata.name==\"b\")].status.n}"), "20");
    assert_eq!(render("{.items[?(@.status.ok)].metadata.name}"), "a b");
    assert_eq!(render("{.items[?(@.status.ok==true)].metadata.name}"), "a");
    assert_eq!(
        render("{range .items[?(@.metadata.name!='b')]}[{.metadata.name}]{end}"),
        "[a][c]"
    );
    assert_eq!(render("plain"), "plain");
}

#[test]
fn what_is_wrong_has_kubectl_s_words() {
    let wrong = |template: &str| JsonPath::parse(template).unwrap_err().to_string();
    assert_eq!(wrong("{.items"), "unclosed action");
    assert_eq!(wrong("{.items[a]}"), "invalid array index a");
    assert_eq!(wrong("{end}"), "not in range, nothing to end");
    assert_eq!(wrong("{foo}"), "unrecognized identifier foo");
    assert!(JsonPath::parse(&"{.a}".repeat(10_000)).is_err());
    let outside = JsonPath::parse("{.items[9]}").unwrap().render(&pods()).unwrap_err();
    assert_eq!(outside.to_string(), "array index out of bounds: index 9, length 3");
    assert!(JsonPath::parse("{.kind[0]}").unwrap().render(&pods()).is_err());
}

#[test]
fn hostile_templates_end() {
    for template in [
        "{[?([?([?(",
        "{'",
        "{.a[",
        "{.[",
        "{..}",
        "{range .a}",
        "{\u{1F600}",
        "{[99999999999999999999]}",
        "{[:-9]}",
    ] {
        if let Ok(path) = JsonPath::parse(template) {
            let _ = path.render(&pods());
        }
    }
    assert!(JsonPath::parse(&format!("{{{}", "[?(".repeat(500))).is_err());
}

#[test]
fn relaxed_paths_and_go_s_words() {
    let values = |path: &str| JsonPath::relaxed(path).unwrap().values(&pods()["items"][0]).unwrap();
    assert_eq!(values("metadata.name"), [json!("a")]);
    assert_eq!(values("{.status.n}"), [json!(1)]);
    assert_eq!(values(".nope"), Vec::<Value>::new());
    assert!(JsonPath::relaxed("{.nope").is_err());
    assert_eq!(go(&json!({"b": [1, "x"], "a": null})), "map[a:<nil> b:[1 x]]");
}

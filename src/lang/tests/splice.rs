//! Aliases' pipelines in the places of their calls.

use super::*;

fn spliced(call: &str, body: &str) -> Result<String, SpliceError> {
    let call = stage(call);
    let body = parse(body).unwrap().items.remove(0).pipeline;
    splice(&call, 1, &body).map(|pipeline| print(&pipeline))
}

#[test]
fn l25_arguments_are_spliced() {
    let cases = [
        // As in the ancestor: what is left over goes to the first stage.
        ("x", "a | b", "a | b"),
        ("x y --z", "a 1 | b", "a 1 y --z | b"),
        ("x web 3", "scale $1 --replicas=$2", "scale web --replicas=3"),
        (
            "x web 3 -n prod",
            "scale $1 --replicas=$2 | c",
            "scale web --replicas=3 -n prod | c",
        ),
        ("x a b c", "first $1 | second $*", "first a | second b c"),
        ("x", "a $*", "a"),
        ("x", "a ${1:-d}", "a d"),
        ("x", "a ${1:-${y}}", "a ${y}"),
        ("x q", "a ${1:-d}", "a q"),
        ("x 'a b; c'", "cmd $1", "cmd 'a b; c'"),
        ("x \"it's; rm\"", "cmd $1", "cmd \"it's; rm\""),
        ("x web", "cmd \"http://${1}/\" 'lit $1'", "cmd \"http://web/\" 'lit $1'"),
        ("x $pod", "cmd $1.metadata.name", "cmd $pod.metadata.name"),
        ("x --all", "cmd $1", "cmd --all"),
        (
            "@prod parallel=2 x",
            "a | @dev b | c",
            "@prod parallel=2 a | @dev parallel=2 b | @prod parallel=2 c",
        ),
        ("x prod", "@$1 a", "@prod a"),
        ("x a,b", "@$1 c", "@'a,b' c"),
        ("x d", "@$1,prod c", "@d,prod c"),
        ("@a,b x", "c", "@a,b c"),
        ("@* x", "@dev c", "@dev c"),
        ("@dev x", "@* c", "@* c"),
        ("x out", "a > file:$1", "a > file:out"),
    ];
    for (call, body, wanted) in cases {
        let wanted = print(&parse(wanted).unwrap());
        assert_eq!(spliced(call, body), Ok(wanted), "{call} as {body}");
    }
    assert_eq!(spliced("x", "a $1"), Err(SpliceError::Missing(1)));
    assert_eq!(spliced("x a", "b $2"), Err(SpliceError::Missing(2)));
    assert_eq!(spliced("x a", "b $1.k"), Err(SpliceError::NotAVariable(1)));
    assert_eq!(spliced("x a", "b $0"), Err(SpliceError::Zero));
    for call in ["@a,b x", "@* x"] {
        assert_eq!(spliced(call, "a | b"), Err(SpliceError::SeveralContexts), "{call}");
    }
}

#[test]
fn l25_what_the_call_brings_keeps_its_place() {
    let source = "on=x nick web extra";
    let call = stage(source);
    let body = parse("a $1 b").unwrap().items.remove(0).pipeline;
    let stage = splice(&call, 1, &body).unwrap().stages.remove(0);
    let places: Vec<&str> = stage.words.iter().map(|word| word.span.of(source)).collect();
    assert_eq!(places, ["nick", "web", "nick", "extra"]);
    assert_eq!(stage.modifiers[0].span.of(source), "on=x");
}

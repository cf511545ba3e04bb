//! What would refuse a line while it is typed.

use crate::engine::test_support::Bench;

#[tokio::test]
async fn a_line_being_typed_is_judged_by_the_pass_that_would_refuse_it() {
    let bench = Bench::new();
    bench.run("t:emit 2").await;
    let wrong = |line: &'static str| {
        let report = bench.session.problem(line)?;
        let place = report.place.expect(line);
        assert_eq!(place.source.len(), line.len(), "{line}");
        Some((report.code, &line[place.span]))
    };
    assert_eq!(wrong("t:emit 1 | t:pass"), None);
    assert_eq!(wrong("t:emt 1"), Some(("E-RESOLVE-004", "t:emt")));
    assert_eq!(wrong("t:emit 1 | t:pass --foo x"), Some(("E-OPTION-001", "--foo")));
    assert_eq!(wrong("t:emit 1 | t:pass 'x"), Some(("E-SYNTAX-002", "'x")));
    assert_eq!(wrong("t:echo $99"), Some(("E-VALUE-001", "$99")));
    assert_eq!(wrong("t:echo $1"), None, "it was answered");
    assert_eq!(wrong("t:echo ${99:-nothing}"), None, "something stands in for it");
    assert_eq!(bench.session.jobs().len(), 1, "nothing runs");
}

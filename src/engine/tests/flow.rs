//! Records through stages: order, policies, cancellation, connectors, jobs, earlier answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::core::change::Origin;
use crate::core::report::{Report, Severity};
use crate::engine::ports::{Addressee, Bus, Destination};
use crate::engine::test_support::{Answer, Bench, HEADLESS, Ran, Script, finish};
use crate::engine::{BlockEvent, OnError, Start};
use crate::verb::Item;

fn numbers(ran: &Ran) -> Vec<i64> {
    ran.records.iter().map(|record| record["n"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn l16_each_runs_once_a_record_in_order_and_l17_all_runs_once() {
    let bench = Bench::new();
    assert_eq!(numbers(&bench.run("t:emit 3 | t:pass").await), vec![1, 2, 3]);
    assert_eq!(bench.run("t:emit 3|t:pass|t:count").await.records, vec![json!(3)]);
    assert_eq!(
        bench.run("t:pass").await.records.len(),
        1,
        "alone: once, without a record"
    );
}

#[tokio::test]
async fn l18_parallel_keeps_the_order_and_is_faster() {
    let bench = Bench::new();
    let start = Instant::now();
    let ran = bench.run("t:emit 40 | parallel=8 t:pass --wait 200ms").await;
    assert_eq!(numbers(&ran), (1..=40).collect::<Vec<_>>());
    // One at a time it would take 200 ms * (1 + 1/2 + … + 1/40) = 856 ms.
    assert!(start.elapsed() < Duration::from_millis(600), "{:?}", start.elapsed());
}

#[tokio::test]
async fn l20_stop_delivers_what_came_before_and_continue_passes_over() {
    let bench = Bench::new();
    for modifier in ["", "parallel=3 "] {
        let ran = bench
            .run(&format!("t:emit 5 | {modifier}t:pass --fail=3 | t:pass"))
            .await;
        assert_eq!((numbers(&ran), ran.exit), (vec![1, 2], 1), "{modifier}");
        let report = ran.report.unwrap();
        assert_eq!((report.code, report.stage), ("E-TEST-001", Some(2)));
        assert_eq!(report.record.as_deref(), Some(&json!({"n": 3, "name": "r3"})));
        let ran = bench
            .run(&format!(
                "t:emit 5 | on-error=continue {modifier}t:pass --fail=3 | t:pass"
            ))
            .await;
        assert_eq!((numbers(&ran), ran.exit), (vec![1, 2, 4, 5], 1), "{modifier}");
        assert_eq!((ran.failed.len(), ran.failed[0].stage), (1, Some(2)));
        assert_eq!(ran.failed[0].record.as_deref(), Some(&json!({"n": 3, "name": "r3"})));
        assert!(ran.report.is_none());
    }
    let ran = bench
        .run("t:emit 5 | on-error=continue t:pass --fail=3 | t:count")
        .await;
    assert_eq!(
        (ran.records, ran.failed.len(), ran.exit),
        (vec![json!(4)], 1, 1),
        "around an `all` stage too"
    );
}

#[tokio::test]
async fn a_panic_is_a_report_and_the_session_goes_on() {
    let bench = Bench::new();
    for modifier in ["", "parallel=2 "] {
        let ran = bench.run(&format!("t:emit 3 | {modifier}t:pass --crash=2")).await;
        assert_eq!((numbers(&ran), ran.exit), (vec![1], 1));
        let report = ran.report.unwrap();
        assert_eq!(report.code, "E-RUN-PANIC");
        assert!(report.message.contains("told to crash"), "{report:?}");
    }
    assert_eq!(bench.run("t:emit 1").await.exit, 0);
}

#[tokio::test]
async fn a_stage_whose_reader_is_gone_ends_quietly() {
    let bench = Bench::new();
    let ran = bench.run("t:tail | t:pass | t:count 3").await;
    assert_eq!((ran.records, ran.exit, ran.report), (vec![json!(3)], 0, None));
    let ran = bench.run("t:emit 5 | t:pass --hang=4 | t:count 3").await;
    assert_eq!(
        (ran.records, ran.exit),
        (vec![json!(3)], 0),
        "one that waits for something is told to stop"
    );
}

#[tokio::test]
async fn l21_a_slow_reader_holds_the_source_back() {
    let bench = Bench::new();
    let mut block = bench
        .session
        .start("t:emit 100000 | t:pass", Script::new(HEADLESS, []))
        .unwrap();
    while !matches!(block.next().await, Some(BlockEvent::Item(_))) {}
    tokio::time::sleep(Duration::from_millis(200)).await;
    let emitted = bench.emitted.load(Ordering::Relaxed);
    assert!(emitted < 2000, "{emitted} records were made for one that was read");
    drop(block);
    let jobs = || bench.session.jobs();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        format!("{:?}", jobs()[0].state),
        "Stopped",
        "a dropped block is cancelled"
    );
}

#[tokio::test]
async fn cancelling_ends_with_130_and_waits_for_verbs_to_end() {
    let bench = Bench::new();
    let mut block = bench
        .session
        .start("t:emit 5 | t:pass --hang=3", Script::new(HEADLESS, []))
        .unwrap();
    let canceller = block.canceller();
    let mut seen = 0;
    while seen < 2 {
        seen += usize::from(matches!(block.next().await, Some(BlockEvent::Item(_))));
    }
    canceller.cancel();
    let ran = finish(block).await;
    assert_eq!((ran.exit, ran.report.unwrap().severity), (130, Severity::Interrupted));
}

#[tokio::test]
async fn time_limits_end_with_124_or_pass_over() {
    let bench = Bench::new();
    let ran = bench.run("t:emit 3 | timeout=50ms t:pass --hang=2").await;
    assert_eq!(
        (numbers(&ran), ran.exit, ran.report.unwrap().stage),
        (vec![1], 124, Some(2))
    );
    let ran = bench
        .run("t:emit 3 | on-error=continue timeout=50ms t:pass --hang=2")
        .await;
    assert_eq!(
        (numbers(&ran), ran.exit, ran.failed[0].code),
        (vec![1, 3], 1, "E-RUN-124")
    );
    let start = Start {
        line: "t:emit 3 | t:pass --hang=2; t:emit 1",
        operator: Script::new(HEADLESS, []),
        input: None,
        on_error: OnError::Stop,
        timeout: Some(Duration::from_millis(50)),
    };
    let ran = finish(bench.session.start_with(start).unwrap()).await;
    assert_eq!((numbers(&ran), ran.exit), (vec![1], 124), "the whole line");
}

#[tokio::test]
async fn l02_connectors_follow_the_exit_status() {
    let bench = Bench::new();
    let cases: [(&str, &[i64], u8); 8] = [
        ("t:emit 1 && t:emit 2", &[1, 1, 2], 0),
        ("t:pass --fail=0 && t:emit 1", &[], 1),
        ("t:pass --fail=0 || t:emit 1", &[1], 0),
        ("t:emit 1 || t:emit 2", &[1], 0),
        ("t:pass --fail=0; t:emit 1", &[1], 0),
        ("t:pass --fail=0 && t:emit 1 || t:emit 2", &[1, 2], 0),
        ("t:emit 1 || t:emit 3 && t:emit 2", &[1, 1, 2], 0),
        ("t:emit 1; t:pass --fail=0", &[1], 1),
    ];
    for (line, wanted, exit) in cases {
        let ran = bench.run(line).await;
        assert_eq!((numbers(&ran).as_slice(), ran.exit), (wanted, exit), "{line}");
    }
    let ran = bench.run("t:pass --fail=0; t:emit 1; t:pass --fail=0").await;
    assert_eq!(
        (ran.failed.len(), ran.report.is_some()),
        (1, true),
        "the earlier failure is told as well"
    );
}

#[tokio::test]
async fn jobs_have_blocks_of_their_own_and_wait_waits() {
    let bench = Bench::new();
    let ran = bench.run("t:emit 3 | t:pass --wait 50ms & t:emit 1; t:wait").await;
    assert_eq!(ran.records, vec![json!({"n": 1, "name": "r1"}), json!(1)]);
    let jobs = bench.session.jobs();
    assert_eq!((jobs.len(), jobs[1].background, jobs[1].records), (2, true, 3));
    assert_eq!(bench.run("t:echo $2[1].n").await.records, vec![json!(2)], "$N of a job");
    let ran = bench.run("t:emit 1; t:emit 2 | t:pass --fail=1 && t:emit 1 &").await;
    assert_eq!((numbers(&ran), ran.exit), (vec![1], 0));
    assert_eq!(format!("{:?}", bench.session.jobs().last().unwrap().state), "Failed");
}

#[tokio::test]
async fn what_a_job_asks_is_asked_for_its_own_block() {
    let bench = Bench::new();
    let (line, job) = (
        Script::new(Origin::Typed, [Answer::Yes]),
        Script::new(Origin::Typed, [Answer::Yes]),
    );
    *line.of_jobs.lock().unwrap() = Some(job.clone());
    bench
        .run_as("t:set --name=a --value=-1 & t:set --name=b --value=-1", line.clone())
        .await;
    let asked = |script: &Script| script.asked.lock().unwrap().len();
    assert_eq!((asked(&line), asked(&job)), (1, 1));
}

#[tokio::test]
async fn earlier_answers_and_let_are_values_of_their_json_type() {
    let bench = Bench::new();
    bench.run("t:emit 2").await;
    let cases: [(&str, Vec<Value>); 7] = [
        ("t:echo $_[1].n $_.name", vec![json!(2), json!("r1")]),
        ("let two = t:emit 2 | t:count", vec![json!(2)]),
        ("t:echo $two \"n=${two}\"", vec![json!(2), json!("n=2")]),
        ("t:emit 1 | t:echo $name $two $missing", vec![]),
        (
            "t:emit 1 | t:echo $name $two ${missing:-none}",
            vec![json!("r1"), json!(2), json!("none")],
        ),
        (
            "let a = t:emit 1 && t:echo $a.n",
            vec![json!({"n": 1, "name": "r1"}), json!(1)],
        ),
        ("t:echo $1[0].n", vec![json!(1)]),
    ];
    for (line, wanted) in cases {
        assert_eq!(bench.run(line).await.records, wanted, "{line}");
    }
    let ran = bench.run("t:emit 1 | t:echo $missing").await;
    let report = ran.report.unwrap();
    assert_eq!((report.code, ran.exit), ("E-VALUE-001", 1));
    assert!(
        report.record.is_some() && report.message.contains("let missing"),
        "{report:?}"
    );
    assert_eq!(report.place.unwrap().span, 18..26);
}

#[tokio::test]
async fn input_feeds_the_first_stage_of_the_first_pipeline() {
    let bench = Bench::new();
    let (sender, input) = tokio::sync::mpsc::channel(4);
    for n in [1, 2] {
        let item = crate::verb::Item {
            record: json!({"n": n}),
            view: None,
        };
        sender.send(Ok(item)).await.unwrap();
    }
    drop(sender);
    let start = Start {
        line: "t:pass | t:echo $n; t:pass",
        operator: Script::new(HEADLESS, []),
        input: Some(input),
        on_error: OnError::Stop,
        timeout: None,
    };
    let ran = finish(bench.session.start_with(start).unwrap()).await;
    assert_eq!(ran.records, vec![json!(1), json!(2), json!({"n": 0})]);
}

#[tokio::test]
async fn l14_a_file_gets_one_line_a_record() {
    let bench = Bench::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let line = format!(
        "t:echo 'a b' 2 | t:pass *> file:{0} here; t:emit 1 > file:{0}2",
        path.display()
    );
    let ran = bench.run(&line).await;
    assert_eq!((ran.records.len(), ran.exit), (2, 0), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a b\n2\n");
    let second = folder.path().join("out2");
    assert_eq!(std::fs::read_to_string(second).unwrap(), "{\"n\":1,\"name\":\"r1\"}\n");
    assert!(ran.notes[0].starts_with("2 records written to "), "{ran:?}");
}

/// A bus with one room.
#[derive(Default)]
struct OneRoom(Arc<std::sync::Mutex<Vec<String>>>);

#[async_trait::async_trait]
impl Bus for OneRoom {
    fn reach(&self, whom: &Addressee) -> Result<(), Report> {
        match *whom == Addressee::Room("ops".into()) {
            true => Ok(()),
            false => Err(Report::refused("E-TEST-006", format!("we are not in {whom}")).hint("ask to be let in")),
        }
    }

    async fn open(&self, _: &Addressee) -> Result<Box<dyn Destination>, Report> {
        self.0.lock().unwrap().push("open".into());
        Ok(Box::new(OneRoom(self.0.clone())))
    }
}

#[async_trait::async_trait]
impl Destination for OneRoom {
    async fn write(&mut self, item: &Item) -> Result<(), Report> {
        self.0.lock().unwrap().push(item.record.to_string());
        Ok(())
    }

    async fn close(&mut self) -> Result<(), Report> {
        self.0.lock().unwrap().push("close".into());
        Ok(())
    }
}

#[tokio::test]
async fn l14_rooms_and_users_are_destinations_of_the_bus_and_all_are_reached_before_anything_runs() {
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let bench = Bench::on(Arc::new(OneRoom(heard.clone())));
    for line in [
        "t:emit 2 | t:pass *> '#ops' @mia",
        "t:emit 2 | t:pass > chat://@mia",
        "t:emit 1 && t:pass > '#dev'",
    ] {
        let ran = bench.run(line).await;
        let report = ran.report.unwrap();
        assert_eq!((report.code, ran.exit), ("E-TEST-006", 2), "{line}");
        assert_eq!(report.hint.as_deref(), Some("ask to be let in"));
    }
    assert_eq!(
        (bench.emitted.load(Ordering::Relaxed), heard.lock().unwrap().len()),
        (0, 0)
    );
    let ran = bench.run("t:echo 'a b' 2 | t:pass *> '#ops' here").await;
    assert_eq!(
        (ran.records.len(), ran.exit, ran.notes),
        (2, 0, vec!["2 records written to #ops".to_owned()])
    );
    assert_eq!(
        std::mem::take(&mut *heard.lock().unwrap()),
        ["open", "\"a b\"", "\"2\"", "close"]
    );
    bench.run("let room = t:echo '#ops'").await;
    assert_eq!(bench.run("t:echo 1 > $room").await.exit, 0);
    assert_eq!(
        std::mem::take(&mut *heard.lock().unwrap()),
        ["open", "\"1\"", "close"],
        "and one that a variable names"
    );
    let ran = bench.run("t:emit 2 | t:pass --fail=2 > '#ops'").await;
    assert_eq!(
        (ran.exit, heard.lock().unwrap().len()),
        (1, 3),
        "what came before a failure is delivered"
    );
}

#[tokio::test]
async fn the_history_holds_masked_lines_but_not_those_after_a_blank() {
    use crate::engine::ports::Journal;
    let bench = Bench::new();
    for line in [
        "t:login --password=hunter2",
        "t:login -p hunter2",
        "t:login -phunter2",
        " t:emit 1",
    ] {
        assert_eq!(bench.run(line).await.exit, 0, "{line}");
    }
    let history = bench.journal.history(10).await.unwrap();
    let lines: Vec<&str> = history.iter().map(|entry| entry.line.as_str()).collect();
    assert_eq!(history.len(), 3);
    assert!(
        lines
            .iter()
            .all(|line| !line.contains("hunter2") && line.contains("•••")),
        "{lines:?}"
    );
    assert!(bench.session.jobs().iter().all(|job| !job.pipeline.contains("hunter2")));
}

#[tokio::test]
async fn a_line_whose_secret_is_asked_for_is_kept_as_it_was_typed() {
    use crate::engine::ports::Journal;
    let bench = Bench::new();
    let lines = [
        "t:login --password --user mia",
        "t:login -p -u mia",
        "t:login --user mia --password",
        "t:echo -- -p word",
    ];
    for line in lines {
        bench.run(line).await;
        assert_eq!(bench.journal.history(1).await.unwrap()[0].line, line);
    }
    // A value that looks like an option makes the line wrong, and is no less secret.
    let report = bench.run("t:login --password -hunter2").await.report.unwrap();
    assert!(!report.lines().join(" ").contains("hunter2"), "{report:?}");
}

#[tokio::test]
async fn a_refused_line_is_quoted_without_its_secrets() {
    let bench = Bench::new();
    for line in [
        "t:login --password=hunter2 --nope",
        "t:login -p hunter2 | t:nope",
        "t:login -phunter2 --nope=1",
        "t:login --password 'hunter2 x' --nope",
        "t:nope https://mia:hunter2@example.com",
    ] {
        let report = bench
            .session
            .check(line, crate::core::change::Origin::Typed)
            .unwrap_err();
        let text = report.lines().join("\n");
        assert!(text.contains("nope") && text.contains('^'), "{text}");
        assert!(!text.contains("hunter2") && text.contains("****"), "{text}");
    }
}

#[tokio::test]
async fn hostile_names_stay_data() {
    let bench = Bench::new();
    let name = "x'; t:set --name=y --value=1\n| t:never \u{1b}]52;c;eHg=\u{7} $(id)";
    let line = crate::lang::print(&crate::lang::Stage::new("t:echo").arg(name));
    assert_eq!(bench.run(&line).await.records, vec![json!(name)]);
    assert!(bench.world.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_refused_line_is_kept_with_marks_that_no_command_takes() {
    let bench = Bench::new();
    for (line, kept) in [
        ("t:login --password=hunter2 --nope", "t:login --password=••• --nope"),
        ("t:login -p hunter2 | t:nope", "t:login -p ••• | t:nope"),
        ("t:nope https://mia:hunter2@example.com 1", "t:nope ••• 1"),
        ("t:emit 1 --nope", "t:emit 1 --nope"),
        ("t:emit 1 'open", "t:emit 1 'open"),
        ("t:login --password hunter2 | | t:emit 1", "t:login --password •••"),
        ("t:login -p 'hunter2", "t:login -p •••"),
        ("t:login -p <hunter2>", "t:login -p •••"),
        ("t:login --password=hun$(ter2) x", "t:login --password=•••"),
        ("t:emit 1 | t:login -phunter2 &&", "t:emit 1 | t:login -p•••"),
    ] {
        assert_eq!(bench.session.hidden(line), kept);
    }
    let again = bench.run("t:login --password=•••").await;
    assert_eq!(again.exit, 2, "it is no value: {:?}", again.report);
}

#[tokio::test]
async fn the_records_of_a_block_that_still_runs_are_said_to_come() {
    let bench = Bench::new();
    let block = bench
        .session
        .start("t:emit 1 | t:pass --wait 10s", Script::new(HEADLESS, []))
        .unwrap();
    let told = bench.session.records(block.number()).unwrap_err();
    assert!(told.contains("still runs"), "{told}");
    let told = bench.session.problem("t:echo $1").map(|report| report.sentence());
    assert!(told.is_some_and(|told| told.contains("still runs")));
    block.cancel();
    finish(block).await;
    assert!(!bench.session.records(1).is_err_and(|told| told.contains("still runs")));
}

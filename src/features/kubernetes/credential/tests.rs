//! Token files and credential plugins, which shell scripts play.
#![allow(clippy::unwrap_used)]
use super::super::certificate::tests::signed;
use super::*;

fn auth(script: &str) -> AuthInfo {
    serde_json::from_value(
        json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh",
        "args": ["-c", script], "env": [{"name": "GREETING", "value": "hello"}], "interactiveMode": "Never"}}),
    )
    .unwrap()
}

#[tokio::test]
async fn a_token_takes_the_place_of_the_plugin() {
    let mut auth = auth(
        r#"test "$GREETING" = hello || exit 3
        case "$KUBERNETES_EXEC_INFO" in *ExecCredential*) ;; *) exit 4;; esac
        echo '{"kind":"ExecCredential","status":{"token":"t0p","expirationTimestamp":"2030-01-02T03:04:05Z"}}'"#,
    );
    let lease = replace(&mut auth, Asking::Nobody).await.unwrap().lease;
    assert_eq!(lease.ends, Some("2030-01-02T03:04:05Z".parse().unwrap()));
    assert!(auth.exec.is_none() && auth.token.is_some());
}

#[tokio::test]
async fn what_goes_wrong_is_told_and_a_credential_is_not() {
    let message = async |script: &str| replace(&mut auth(script), Asking::Nobody).await.unwrap_err().message;
    assert_eq!(
        message("echo s3cret; echo 'login first' >&2; exit 7").await,
        "the credential plugin /bin/sh failed: exit code 7: login first"
    );
    let half = message("echo '{\"status\":{\"token\":\"s3cret\"'").await;
    assert!(
        half.ends_with("its answer is no ExecCredential") && !half.contains("s3cret"),
        "{half}"
    );
    assert!(message("echo '{}'").await.contains("no status"));
    assert!(
        message("echo '{\"status\":{}}'")
            .await
            .contains("neither a token nor a certificate")
    );
    let endless = tokio::time::timeout(Duration::from_secs(20), message("yes s3cret")).await;
    assert!(endless.unwrap().ends_with("its answer is too long"));
    let chatty = message("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1").await;
    assert!(
        chatty.contains("line 1999") && !chatty.contains("line 1990;"),
        "{chatty}"
    );
    let mut missing = auth("");
    missing.exec.as_mut().unwrap().command = Some("/does/not/exist".into());
    assert!(
        replace(&mut missing, Asking::Nobody)
            .await
            .unwrap_err()
            .message
            .contains("could not be started")
    );
}

#[tokio::test]
async fn what_a_plugin_leaves_running_keeps_its_answer_from_nobody() {
    let begin = std::time::Instant::now();
    let script = "sleep 20 >/dev/null & echo '{\"status\":{\"token\":\"t\"}}'";
    assert!(replace(&mut auth(script), Asking::Nobody).await.unwrap().plugin);
    let complaint = "sleep 20 >/dev/null & echo 'who are you?' >&2; exit 1";
    let refused = replace(&mut auth(complaint), Asking::Nobody).await.unwrap_err();
    assert!(refused.message.ends_with("exit code 1: who are you?"), "{refused}");
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn what_wants_a_person_is_told_with_the_way_to_log_in() {
    let mut always = auth("echo never >&2; exit 1");
    always.exec.as_mut().unwrap().interactive_mode = Some(ExecInteractiveMode::Always);
    let report = replace(&mut always, Asking::Nobody).await.unwrap_err();
    assert!(report.code == LOGIN && report.message.contains("Always"), "{report}");
    let hint = report.hint.unwrap();
    assert!(
        hint.contains("kubectl:login") && hint.contains("run /bin/sh in a shell") && !hint.contains("exit 1"),
        "{hint}"
    );
    let mut if_available = auth("echo who are you >&2; exit 1");
    if_available.exec.as_mut().unwrap().interactive_mode = Some(ExecInteractiveMode::IfAvailable);
    let report = replace(&mut if_available, Asking::Nobody).await.unwrap_err();
    assert!(
        report.code == LOGIN && report.message.ends_with("exit code 1: who are you"),
        "{report}"
    );
}

#[tokio::test]
async fn a_token_file_is_read_without_its_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let with = || AuthInfo {
        token_file: Some(file.display().to_string()),
        ..AuthInfo::default()
    };
    std::fs::write(&file, "t0p\n").unwrap();
    let mut auth = with();
    let obtained = replace(&mut auth, Asking::Nobody).await.unwrap();
    assert!(obtained.proof == Some(Secret::new("t0p")) && obtained.lease.ends.is_none() && auth.token.is_some());
    std::fs::write(&file, "\n").unwrap();
    let empty = replace(&mut with(), Asking::Nobody).await.unwrap_err();
    assert!(empty.message.ends_with("token is empty"), "{empty}");
}

#[tokio::test]
async fn a_client_certificate_says_when_it_ends() {
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let after = |minutes: i64| now + jiff::SignedDuration::from_mins(minutes);
    let (pem, key) = signed(after(-600), after(600));
    let with = |data: &str| AuthInfo {
        client_certificate_data: Some(data.to_owned()),
        ..AuthInfo::default()
    };
    let mut auth = with(&STANDARD.encode(&pem));
    let obtained = replace(&mut auth, Asking::Nobody).await.unwrap();
    let lease = Lease {
        renew: Some(after(480)),
        ends: Some(after(600)),
    };
    assert_eq!(
        (obtained.lease, obtained.proof),
        (lease, Some(Secret::new(pem.as_str())))
    );
    // Whoever has a token besides is let in by that.
    auth.token = Some("t".to_owned().into());
    assert_eq!(
        replace(&mut auth, Asking::Nobody).await.unwrap().lease,
        Lease::default()
    );
    // What is wrong with it, the client tells.
    for unreadable in [STANDARD.encode("no certificate"), "no base64!".to_owned()] {
        let obtained = replace(&mut with(&unreadable), Asking::Nobody).await.unwrap();
        assert_eq!((obtained.lease, obtained.certificate), (Lease::default(), None));
    }
    // A plugin's counts until the earlier of its end and of what the plugin says.
    let answers = async |more: serde_json::Value, ends: i64| {
        let mut status = json!({"clientCertificateData": signed(after(-60), after(ends)).0, "clientKeyData": key});
        status
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let mut auth = auth_of(&json!({"status": status}));
        replace(&mut auth, Asking::Nobody).await.unwrap()
    };
    let said = |minutes: i64| json!({"expirationTimestamp": after(minutes).to_string()});
    assert_eq!(answers(json!({}), 30).await.lease.ends, Some(after(30)));
    assert_eq!(answers(said(20), 30).await.lease.ends, Some(after(20)));
    assert_eq!(answers(said(40), 30).await.lease.ends, Some(after(30)));
    assert_eq!(answers(json!({"token": "t"}), 30).await.lease.ends, None);
    let over = answers(json!({}), -30).await;
    assert_eq!((over.lease.ends, over.certificate.unwrap().ends), (None, after(-30)));
}

/// A plugin that answers this.
fn auth_of(answer: &serde_json::Value) -> AuthInfo {
    let mut auth = auth("printf %s \"$ANSWER\"");
    let variable = [("name", "ANSWER".to_owned()), ("value", answer.to_string())];
    let variable = variable.map(|(key, value)| (key.to_owned(), value)).into();
    auth.exec.as_mut().unwrap().env = Some(vec![variable]);
    auth
}

#[test]
fn a_token_may_say_when_it_ends() {
    let token = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
    assert_eq!(
        token_ends(&token(r#"{"exp":60,"sub":"x"}"#)),
        Some("1970-01-01T00:01:00Z".parse().unwrap())
    );
    assert_eq!(
        token_ends(&token(r#"{"exp":60.5}"#)),
        Some("1970-01-01T00:01:00Z".parse().unwrap())
    );
    let strange = [r#"{"exp":1e300}"#, r#"{"exp":"60"}"#, "{}", "no json", ""].map(token);
    let others = ["", "abc", "a.b", "a.b.c", "a.b.c.d", "..", "a.é.c"].map(str::to_owned);
    for none in strange.iter().chain(&others) {
        assert_eq!(token_ends(none), None, "{none}");
    }
}

#[test]
fn a_lease_is_renewed_ahead_of_its_end() {
    let now = Timestamp::UNIX_EPOCH;
    let after = |seconds: u64| now + Duration::from_secs(seconds);
    let long = Lease::until(Some(after(900)), now);
    assert!(!long.is_due(after(839)) && long.is_due(after(840)) && !long.is_over(after(899)));
    assert!(long.is_over(after(900)));
    let short = Lease::until(Some(after(20)), now);
    assert!(!short.is_due(after(14)) && short.is_due(after(15)));
    let past = Lease::until(Some(now), after(5));
    assert!(past.is_due(after(5)) && past.is_over(after(5)));
    assert!(!Lease::default().is_due(after(9)) && !Lease::default().is_over(after(9)));
}

//! How a failed AWS request reads: the service's own code and message, or what the SDK hides in its chain of causes.

use std::error::Error;

use aws_sdk_route53::error::{ProvideErrorMetadata, SdkError};

use crate::core::report::{Report, Severity};
use crate::core::text::SafeText;
use crate::feed::{HealthState, Source};

/// No credentials were found.
pub const NO_CREDENTIALS: &str = "E-AWS-002";
/// The keys are wrong or expired.
const KEYS: &str = "E-AWS-003";
/// A permission is missing.
const DENIED: &str = "E-AWS-004";
/// Any other answer that is an error.
pub const SERVICE: &str = "E-AWS-005";
/// No connection.
const UNREACHABLE: &str = "E-AWS-006";
/// No answer in time.
const TIMED_OUT: &str = "E-AWS-007";
/// More requests than the account may make.
const THROTTLED: &str = "E-AWS-008";

/// Where credentials are looked for, and what to do when there are none.
const WHERE: &str = "tried the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), the profile in ~/.aws, SSO, web \
                     identity, the container's and the instance's role: set the two variables, name a profile \
                     (--profile), or log in (aws sso login); off AWS set AWS_EC2_METADATA_DISABLED=true";

/// What the SDK's chain of causes says without saying anything.
const EMPTY_WORDS: [&str; 4] = [
    "other",
    "dispatch failure",
    "the credential provider was not enabled",
    "an error occurred while loading credentials",
];

/// The report of a failed request; `operation` says what was attempted, `list the hosted zones`.
pub fn report<E, R>(operation: &str, error: &SdkError<E, R>) -> Report
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    match error {
        SdkError::ServiceError(failure) => {
            let answer = failure.err();
            answered(
                operation,
                answer.code().unwrap_or("an error without a code"),
                answer.message().unwrap_or("no message"),
            )
        }
        SdkError::TimeoutError(_) => {
            Report::failed(TIMED_OUT, format!("cannot {operation}: AWS gave no answer in time")).hint("try again")
        }
        other => unanswered(operation, other),
    }
}

/// The report of an answer that is an error.
pub fn answered(operation: &str, code: &str, message: &str) -> Report {
    let (ours, hint) = match code {
        "InvalidClientTokenId"
        | "AuthFailure"
        | "SignatureDoesNotMatch"
        | "InvalidAccessKeyId"
        | "UnrecognizedClientException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => (
            KEYS,
            Some("AWS does not accept the keys: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile"),
        ),
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => (
            KEYS,
            Some("the login is over: log in again (aws sso login), or set new keys"),
        ),
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "OptInRequired" => {
            (DENIED, Some("the keys are good, but their policy does not allow this"))
        }
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" => (
            THROTTLED,
            Some("others use the account's limit too: try again in a moment"),
        ),
        "PriorRequestNotComplete" => (
            THROTTLED,
            Some("an earlier change of this zone is under way: try again in a moment"),
        ),
        "NoSuchHostedZone" => (SERVICE, Some("r53:zone list shows the zones")),
        _ => (SERVICE, None),
    };
    let report = Report::failed(ours, format!("cannot {operation}: {code}: {message}"));
    match hint {
        Some(hint) => report.hint(hint),
        None => report,
    }
}

/// No answer: the useful sentence is somewhere below the SDK's own "dispatch failure".
fn unanswered<E, R>(operation: &str, error: &SdkError<E, R>) -> Report
where
    E: Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let mut chain = Vec::new();
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !text.is_empty() && !chain.contains(&text) {
            chain.push(text);
        }
        next = cause.source();
    }
    let lacks_credentials = chain.iter().any(|text| {
        let text = text.to_lowercase();
        text.contains("credential") || text.contains("identity")
    });
    let mut report = if lacks_credentials {
        let message = format!("cannot {operation}: no usable AWS credentials");
        Report::new(NO_CREDENTIALS, message, Severity::Failed).hint(WHERE)
    } else {
        Report::failed(UNREACHABLE, format!("cannot {operation}: no answer from AWS"))
            .hint("check AWS_ENDPOINT_URL, the region and the network")
    };
    chain.retain(|cause| !EMPTY_WORDS.contains(&cause.as_str()));
    report.causes = chain;
    report
}

/// A poll failed: the rows stay, and the feed's health says why they do not get younger.
pub fn failed<R>(source: &Source<R>, report: &Report) {
    let hint = report.hint.as_ref().map(|hint| format!(": {hint}")).unwrap_or_default();
    let reason = SafeText::line(&format!("{}{hint}", report.sentence()));
    source.set_health(health(report), Some(reason));
}

/// Whether a poll shows that there are keys and that AWS knows whose they are, whatever they allow.
pub fn accepts_the_keys<T>(polled: &Result<T, Report>) -> bool {
    polled.as_ref().map_or_else(|report| report.code == DENIED, |_| true)
}

fn health(report: &Report) -> HealthState {
    match report.code {
        NO_CREDENTIALS | KEYS => HealthState::Login,
        DENIED => HealthState::Denied,
        _ if report.severity == Severity::Refused => HealthState::Failed,
        _ => HealthState::Stale,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_keep_the_services_words() {
        let report = answered("change spawnhub.com.", "InvalidChangeBatch", "[no]");
        assert_eq!(report.message, "cannot change spawnhub.com.: InvalidChangeBatch: [no]");
        assert_eq!(health(&report), HealthState::Stale);
    }

    #[test]
    fn refusals_lead_to_what_the_operator_has_to_do() {
        for (code, state) in [
            ("AccessDenied", HealthState::Denied),
            ("UnauthorizedOperation", HealthState::Denied),
            ("ExpiredToken", HealthState::Login),
            ("SignatureDoesNotMatch", HealthState::Login),
            ("Throttling", HealthState::Stale),
        ] {
            let report = answered("look", code, "m");
            assert_eq!(health(&report), state, "{code}");
            assert_eq!(
                accepts_the_keys::<()>(&Err(report.clone())),
                state == HealthState::Denied,
                "{code}"
            );
            assert!(report.hint.is_some(), "{code}");
        }
        assert_eq!(health(&Report::refused("E-AWS-001", "x")), HealthState::Failed);
    }
}

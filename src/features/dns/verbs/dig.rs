//! `net:dig`: asks a name server and shows the answer section.

use std::sync::Arc;

use async_trait::async_trait;
use hickory_resolver::proto::rr::RecordType;
use serde_json::json;

use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::dns::client::{Answer, ask, parse_server, reverse_name};
use crate::render::{Header, View};
use crate::verb::catalogue::{did_you_mean, nearest};
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// Types that are offered, and named when another is asked for.
pub const TYPES: [&str; 16] = [
    "A", "AAAA", "ANY", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV", "SVCB", "TLSA", "TXT",
];

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new("net", "dig", "Ask a DNS server")
        .description(
            "Asks the context's resolver (COGDECK_DNS, else the system's) or @SERVER, without a cache, and shows the \
             answer section: first the chain of CNAMEs, then the records asked for. No answer is no error.",
        )
        .input(InputMode::Each)
        .positional(
            Positional::new(
                "query",
                OptionKind::String,
                "[@SERVER] NAME [TYPE], in any order; TYPE is A when not given",
            )
            .optional()
            .variadic(),
        )
        .option(OptionSpec::new(
            "short",
            OptionKind::Bool,
            "only the data, one line an answer (also +short)",
        ))
        .option(OptionSpec::new("type", OptionKind::String, "record type").short('t'))
        .option(
            OptionSpec::new("reverse", OptionKind::String, "the PTR record of this address")
                .short('x')
                .value_name("address"),
        )
        .output("One record an answer: {name, type, ttl, data}.")
        .example("dig --short inspector.spawnhub.com", "the chain, then the addresses")
        .example(
            "net:dig @127.0.0.1:5353 spawnhub.com NS",
            "another server, another type",
        );
    Verb::read(declaration, Dig)
}

struct Dig;

/// What is asked, once the words are sorted.
#[derive(Debug, PartialEq)]
struct Question {
    server: Option<std::net::SocketAddr>,
    name: String,
    kind: RecordType,
    short: bool,
}

#[async_trait]
impl Read for Dig {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        let question = question(call)?;
        let asked = ask(&call.context, question.server, &question.name, question.kind);
        let answers = tokio::select! {
            () = call.cancel.cancelled() => return Err(Report::interrupted()),
            answers = asked => answers?,
        };
        if answers.records.is_empty() {
            let why = answers.code.unwrap_or_else(|| format!("no {} record", question.kind));
            call.operator
                .note(SafeText::line(&format!("no answer for {}: {why}", question.name)));
        }
        let header = Header::new(["NAME", "TTL", "TYPE", "DATA"]);
        for answer in answers.records {
            let view = view(&answer, question.short, &header);
            let record = json!({"name": answer.name, "type": answer.kind, "ttl": answer.ttl, "data": answer.data});
            output.emit_as(record, view).await?;
        }
        Ok(())
    }
}

fn view(answer: &Answer, short: bool, header: &Arc<Header>) -> View {
    if short {
        return View::Text(answer.data.clone());
    }
    let cells = vec![
        answer.name.clone(),
        answer.ttl.to_string(),
        answer.kind.clone(),
        answer.data.clone(),
    ];
    View::row(header, cells)
}

fn question(call: &Call) -> Result<Question, Report> {
    let mut words = call.arguments.texts();
    if words.is_empty()
        && let Some(record) = &call.record
    {
        let named = ["name", "Name"]
            .iter()
            .find_map(|key| record.get(key))
            .unwrap_or(record);
        words.extend(named.as_str().map(str::to_owned));
    }
    sort(
        &words,
        call.arguments.text("type"),
        call.arguments.text("reverse"),
        call.arguments.flag("short"),
    )
}

fn sort(words: &[String], kind: Option<String>, reverse: Option<String>, short: bool) -> Result<Question, Report> {
    let mut question = Question {
        server: None,
        name: String::new(),
        kind: RecordType::A,
        short,
    };
    if let Some(kind) = kind {
        question.kind = record_type(&kind)?;
    }
    if let Some(address) = reverse {
        let parsed = address
            .parse()
            .map_err(|_| Report::refused("E-DNS-006", format!("{address} is not an IP address")))?;
        question.name = reverse_name(parsed);
        question.kind = RecordType::PTR;
    }
    for word in words {
        if let Some(server) = word.strip_prefix('@') {
            question.server = Some(parse_server(server).ok_or_else(|| {
                Report::refused("E-DNS-007", format!("@{server} is not an address")).hint("@IP or @IP:PORT")
            })?);
        } else if word == "+short" {
            question.short = true;
        } else if question.name.is_empty() {
            question.name.clone_from(word);
        } else {
            question.kind = record_type(word)?;
        }
    }
    if question.name.is_empty() {
        return Err(Report::refused("E-DNS-008", "dig needs a name to ask for").hint("dig NAME [TYPE]"));
    }
    Ok(question)
}

fn record_type(text: &str) -> Result<RecordType, Report> {
    let upper = text.to_uppercase();
    upper.parse().map_err(|_| {
        let near = nearest(&upper, TYPES.iter().map(|t| (*t).to_owned()));
        Report::refused("E-DNS-009", format!("{text} is not a DNS record type"))
            .hint(did_you_mean(&near).unwrap_or_else(|| format!("types: {}", TYPES.join(" "))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn words_come_in_any_order() {
        let question = sort(&words("@127.0.0.1:5353 spawnhub.com ns +short"), None, None, false).unwrap();
        assert_eq!(question.server, Some("127.0.0.1:5353".parse().unwrap()));
        assert_eq!(
            (question.kind, question.short, question.name.as_str()),
            (RecordType::NS, true, "spawnhub.com")
        );
    }

    #[test]
    fn wrong_words_are_refused_with_a_suggestion() {
        let report = sort(&words("spawnhub.com CNAM"), None, None, false).unwrap_err();
        assert_eq!(report.hint.as_deref(), Some("did you mean CNAME?"));
        assert_eq!(sort(&[], None, None, false).unwrap_err().code, "E-DNS-008");
        assert_eq!(
            sort(&words("@nowhere x"), None, None, false).unwrap_err().code,
            "E-DNS-007"
        );
    }

    #[test]
    fn an_address_is_asked_backwards() {
        let question = sort(&[], None, Some("203.0.113.7".into()), false).unwrap();
        assert_eq!(
            (question.name.as_str(), question.kind),
            ("7.113.0.203.in-addr.arpa.", RecordType::PTR)
        );
    }
}

//! Aliases: names for pipelines, one's own or everyone's.

mod create;
mod delete;
mod info;
mod list;
mod relocate;

use std::sync::Arc;

use serde_json::json;

use crate::core::report::Report;
use crate::verb::catalogue::{BUILT_IN, did_you_mean, nearest};
use crate::verb::{Alias, AliasScope, Call, Catalogue, Declaration, Header, Item, Verb, View};

/// All of them.
pub fn all() -> Vec<Verb> {
    vec![
        create::verb(),
        delete::verb(),
        info::verb(),
        list::verb(),
        relocate::verb(),
    ]
}

/// A declaration whose arguments name aliases: everyone's are guarded by a permission.
fn declaration(name: &str, summary: &str) -> Declaration {
    Declaration::new(BUILT_IN, name, summary)
        .once()
        .rule("allow")
        .rule("with any arg == /^site(:|$)/ must have cogdeck:site-aliases")
}

/// `x`, `user:x` or `site:x`; without a scope `default`.
fn named(text: &str, default: AliasScope) -> Result<(AliasScope, String), Report> {
    match text.split_once(':') {
        None => Ok((default, text.to_owned())),
        Some((word, name)) => match AliasScope::of_word(word) {
            Some(scope) => Ok((scope, name.to_owned())),
            None => Err(Report::refused("E-ALIAS-008", format!("{text:?} names no alias"))
                .hint("an alias is NAME, user:NAME or site:NAME")),
        },
    }
}

/// The alias that an argument names: of the scope it says, else the user's before the site's.
fn find(call: &Call, index: usize) -> Result<Alias, Report> {
    let text = call.arguments.text_at(index).unwrap_or_default();
    let scope = text.contains(':').then(|| named(&text, AliasScope::User)).transpose()?;
    let catalogue = call.session.catalogue();
    let found = match &scope {
        Some((scope, name)) => catalogue.alias(Some(*scope), name),
        None => catalogue.alias(None, &text),
    };
    found.cloned().ok_or_else(|| unknown(&catalogue, &text))
}

/// Everyone's alias is changed only where it is named as such: the permission looks at what was typed.
fn own_unless_named(call: &Call, index: usize, alias: &Alias) -> Result<(), Report> {
    let text = call.arguments.text_at(index).unwrap_or_default();
    if alias.scope == AliasScope::User || text.contains(':') {
        return Ok(());
    }
    let name = alias.qualified();
    Err(
        Report::refused("E-ALIAS-010", format!("{} is everyone's alias", alias.name))
            .hint(format!("write {name} to mean it")),
    )
}

/// Everyone's aliases are not changed where nothing is; one's own are like a setting of one's own.
fn may_change(call: &Call, alias: &Alias) -> Result<(), Report> {
    match alias.scope {
        AliasScope::User => Ok(()),
        AliasScope::Site => call.may_change(&format!("{} is everyone's alias", alias.qualified())),
    }
}

fn unknown(catalogue: &Catalogue, text: &str) -> Report {
    let known = catalogue
        .aliases()
        .flat_map(|alias| [alias.name.clone(), alias.qualified()]);
    let hint = did_you_mean(&nearest(text, known)).unwrap_or_else(|| "`alias list` lists them".to_owned());
    Report::failed("E-ALIAS-001", format!("there is no alias {text}")).hint(hint)
}

/// How aliases are shown.
struct Table(Arc<Header>);

impl Table {
    fn new() -> Table {
        Table(Header::new(["ALIAS", "PIPELINE"]))
    }

    fn row(&self, alias: &Alias) -> Item {
        Item {
            record: json!({"scope": alias.scope, "name": alias.name, "pipeline": alias.body}),
            view: Some(View::row(&self.0, vec![alias.qualified(), alias.body.clone()])),
        }
    }
}

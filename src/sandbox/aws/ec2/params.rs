//! The flat parameters of the query protocol: `Filter.1.Value.2` and the like.

use std::collections::BTreeMap;

use http::Method;

use super::super::encoding::pairs;
use super::super::fault::Fault;
use super::super::server::Call;

/// More than any real request; bounds what one request can make us do.
const MAX_PARAMS: usize = 5_000;

/// A request's parameters.
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// From the body of a POST or the query of a GET.
    pub fn parse(call: &Call<'_>) -> Result<Self, Fault> {
        let body = String::from_utf8_lossy(call.body);
        let text = if call.parts.method == Method::GET {
            call.parts.uri.query().unwrap_or_default()
        } else {
            &body
        };
        let all = pairs(text, true);
        if all.len() > MAX_PARAMS {
            return Err(Fault::bad("InvalidParameter", "The request has too many parameters."));
        }
        Ok(Self(all.into_iter().collect()))
    }

    /// One value; an empty one counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// `NAME.1`, `NAME.2`, … in the order of their numbers; gaps are allowed.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let numbers = self.numbers(name);
        numbers
            .iter()
            .filter_map(|number| self.0.get(&format!("{name}.{number}")).map(String::as_str))
            .collect()
    }

    /// The numbers that follow `NAME.`, sorted.
    pub fn numbers(&self, name: &str) -> Vec<u32> {
        let prefix = format!("{name}.");
        let mut numbers: Vec<u32> = self
            .0
            .range(prefix.clone()..)
            .map_while(|(key, _)| key.strip_prefix(&prefix))
            .filter_map(|rest| rest.split('.').next()?.parse().ok())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// A boolean, false when absent.
    pub fn flag(&self, name: &str) -> Result<bool, Fault> {
        match self.get(name) {
            None => Ok(false),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(true),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(false),
            Some(value) => Err(Fault::bad(
                "InvalidParameterValue",
                format!("Invalid value '{value}' for {name}. The value must be true or false."),
            )),
        }
    }

    /// `MaxResults`, held to what the operation allows, and the offset that `NextToken` stands for.
    pub fn page(&self, least: usize, most: usize) -> Result<Page, Fault> {
        let size = match self.get("MaxResults") {
            None => None,
            Some(value) => Some(value.parse::<usize>().ok().filter(|size| (least..=most).contains(size)).ok_or_else(
                || {
                    let message = format!("Value ( {value} ) for parameter maxResults is invalid. Expecting a value between {least} and {most}.");
                    Fault::bad("InvalidParameterValue", message)
                },
            )?),
        };
        let start = match self.get("NextToken") {
            None => 0,
            Some(token) => token
                .strip_prefix("offset-")
                .and_then(|offset| offset.parse().ok())
                .ok_or_else(|| Fault::bad("InvalidNextToken", "The token is not one that this service gave out."))?,
        };
        Ok(Page { start, size })
    }
}

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub start: usize,
    pub size: Option<usize>,
}

impl Page {
    /// The page's items and the token of the next page.
    pub fn of<T>(self, items: Vec<T>) -> (Vec<T>, Option<String>) {
        let total = items.len();
        let size = self.size.unwrap_or(usize::MAX);
        let end = self.start.saturating_add(size);
        let page = items.into_iter().skip(self.start).take(size).collect();
        (page, (end < total).then(|| format!("offset-{end}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn lists_are_ordered_by_number() {
        let params = params(&[
            ("Id.10", "c"),
            ("Id.2", "b"),
            ("Id.1", "a"),
            ("Id.x", "z"),
            ("Idle.1", "no"),
        ]);
        assert_eq!(params.list("Id"), ["a", "b", "c"]);
    }

    #[test]
    fn pages_end() {
        let page = Page {
            start: 1,
            size: Some(2),
        };
        assert_eq!(page.of(vec![1, 2, 3, 4]), (vec![2, 3], Some("offset-3".into())));
        let last = Page {
            start: 3,
            size: Some(2),
        };
        assert_eq!(last.of(vec![1, 2, 3, 4]), (vec![4], None));
        let beyond = Page {
            start: usize::MAX,
            size: None,
        };
        assert_eq!(beyond.of(vec![1]), (vec![], None));
        assert!(params(&[("MaxResults", "4")]).page(5, 1000).is_err());
        assert!(params(&[("NextToken", "x")]).page(5, 1000).is_err());
    }
}

//! CreateTags, DeleteTags, DescribeTags; instances are the only resources that carry tags here.

use super::super::fault::Fault;
use super::super::server::Call;
use super::describe::by_ids;
use super::document;
use super::filter::Filter;
use super::params::Params;
use super::world::World;

/// The API's limit of tags on one resource.
const MAX_TAGS: usize = 50;

/// Sets tags on all of the named instances.
pub(super) fn create(world: &mut World, params: &Params, call: &Call<'_>) -> Result<String, Fault> {
    let ids = resources(world, params, call)?;
    let mut tags = Vec::new();
    for number in params.numbers("Tag") {
        let (key, value) = pair(params, number)?;
        if key.starts_with("aws:")
            || key.chars().count() > 127
            || value.is_some_and(|value| value.chars().count() > 255)
        {
            return Err(Fault::bad(
                "InvalidParameterValue",
                format!(
                    "Invalid tag '{key}': keys have up to 127 characters and do not begin with aws:, values up to 255."
                ),
            ));
        }
        tags.push((key, value.unwrap_or_default()));
    }
    for instance in world.instances.iter().filter(|instance| ids.contains(&instance.id)) {
        let added = tags
            .iter()
            .filter(|(key, _)| !instance.seed.tags.contains_key(*key))
            .count();
        if instance.seed.tags.len() + added > MAX_TAGS {
            return Err(Fault::bad(
                "TagLimitExceeded",
                format!("A resource has at most {MAX_TAGS} tags."),
            ));
        }
    }
    for instance in world.instances.iter_mut().filter(|instance| ids.contains(&instance.id)) {
        for (key, value) in &tags {
            instance.seed.tags.insert((*key).to_owned(), (*value).to_owned());
        }
    }
    Ok(document("CreateTags", call, |x| x.text("return", "true")))
}

/// Removes tags; with a value only where the value is that, without any tag named all of them but `aws:` ones.
pub(super) fn delete(world: &mut World, params: &Params, call: &Call<'_>) -> Result<String, Fault> {
    let ids = resources(world, params, call)?;
    let wanted = params
        .numbers("Tag")
        .into_iter()
        .map(|number| pair(params, number))
        .collect::<Result<Vec<_>, _>>()?;
    for instance in world.instances.iter_mut().filter(|instance| ids.contains(&instance.id)) {
        instance.seed.tags.retain(|key, value| {
            let named = wanted.iter().any(|(k, v)| k == key && v.is_none_or(|v| v == value));
            key.starts_with("aws:") || !(wanted.is_empty() || named)
        });
    }
    Ok(document("DeleteTags", call, |x| x.text("return", "true")))
}

/// All tags, filtered by `key`, `value`, `resource-id` and `resource-type`.
pub(super) fn describe(world: &World, params: &Params, call: &Call<'_>) -> Result<String, Fault> {
    let filters = Filter::all(params)?;
    let page = params.page(5, 1000)?;
    let mut found = Vec::new();
    for instance in world.region(call.region) {
        'tags: for (key, value) in &instance.seed.tags {
            for filter in &filters {
                let actual = match filter.name.as_str() {
                    "key" => key,
                    "value" => value,
                    "resource-id" => &instance.id,
                    "resource-type" => "instance",
                    name if name.strip_prefix("tag:") == Some(key) => value,
                    name if name.starts_with("tag:") => continue 'tags,
                    _ => return Err(filter.invalid()),
                };
                if !filter.matches(&[actual]) {
                    continue 'tags;
                }
            }
            found.push((&instance.id, key, value));
        }
    }
    let (found, next) = page.of(found);
    Ok(document("DescribeTags", call, |x| {
        x.element("tagSet", |x| {
            for (id, key, value) in &found {
                x.element("item", |x| {
                    x.text("resourceId", id);
                    x.text("resourceType", "instance");
                    x.text("key", key);
                    x.text("value", value);
                });
            }
        });
        x.optional("nextToken", next);
    }))
}

fn resources(world: &World, params: &Params, call: &Call<'_>) -> Result<Vec<String>, Fault> {
    let ids = params.list("ResourceId");
    if ids.is_empty() {
        return Err(Fault::bad(
            "MissingParameter",
            "The request must contain the parameter resourceIdSet",
        ));
    }
    Ok(by_ids(world, call.region, &ids)?
        .into_iter()
        .map(str::to_owned)
        .collect())
}

fn pair(params: &Params, number: u32) -> Result<(&str, Option<&str>), Fault> {
    let key = params
        .get(&format!("Tag.{number}.Key"))
        .ok_or_else(|| Fault::bad("InvalidParameterValue", "Tag keys may not be empty."))?;
    Ok((key, params.get(&format!("Tag.{number}.Value"))))
}

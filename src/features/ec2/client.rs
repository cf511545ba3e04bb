//! The one EC2 operation of this feature, page by page.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, Instance};

use super::model::Search;
use crate::core::report::Report;
use crate::features::aws::client::report;

/// Instances a page at most (the API's limit).
const PAGE: i32 = 1000;

/// One page, and the token of the next.
pub async fn page(
    client: &Client,
    search: &Search,
    token: Option<String>,
) -> Result<(Vec<Instance>, Option<String>), Report> {
    let filters: Vec<Filter> = search
        .filters
        .iter()
        .map(|(name, values)| Filter::builder().name(name).set_values(Some(values.clone())).build())
        .collect();
    let request = client
        .describe_instances()
        .set_filters((!filters.is_empty()).then_some(filters))
        .max_results(PAGE)
        .set_next_token(token);
    let answer = request
        .send()
        .await
        .map_err(|error| report("describe the instances", &error))?;
    let next = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
    let reservations = answer.reservations.unwrap_or_default();
    Ok((
        reservations
            .into_iter()
            .flat_map(|reservation| reservation.instances.unwrap_or_default())
            .collect(),
        next,
    ))
}

//! The canonical hosted zones of load balancers, by region. Source: the table that terraform-provider-aws carries.

/// Region, zone of classic and application balancers, zone of network balancers.
const ZONES: [(&str, &str, &str); 18] = [
    ("ap-northeast-1", "Z14GRHDCWA56QT", "Z31USIVHYNEOWT"),
    ("ap-northeast-2", "ZWKZPGTI48KDX", "ZIBE1TIR4HY56"),
    ("ap-northeast-3", "Z5LXEXXYW11ES", "Z1GWIQ4HH19I5X"),
    ("ap-south-1", "ZP97RAFLXTNZK", "ZVDDRBQ08TROA"),
    ("ap-southeast-1", "Z1LMS91P8CMLE5", "ZKVM4W9LS7TM"),
    ("ap-southeast-2", "Z1GM3OXH4ZPM65", "ZCT6FZBF4DROD"),
    ("ca-central-1", "ZQSVJUPU6J1EY", "Z2EPGBW3API2WT"),
    ("eu-central-1", "Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"),
    ("eu-north-1", "Z23TAZ6LKFMNIO", "Z1UDT6IFJ4EJM"),
    ("eu-west-1", "Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"),
    ("eu-west-2", "ZHURV8PSTC4K8", "ZD4D7Y8KGAS4G"),
    ("eu-west-3", "Z3Q77PNBQS71R4", "Z1CMS0P5QUZ6D5"),
    ("sa-east-1", "Z2P70J7HTTTPLU", "ZTK26PT1VY4CU"),
    ("us-east-1", "Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"),
    ("us-east-2", "Z3AADJGX6KTTL2", "ZLMOA37VPKANP"),
    ("us-west-1", "Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"),
    ("us-west-2", "Z1H1FL5HABSF5", "Z18D5FSROUN65G"),
    ("eu-south-1", "Z3ULH7SSC9OV64", "Z23146JA1KNAFP"),
];

/// Whether the zone is a load balancer's at all.
pub(super) fn is_canonical_zone(zone_id: &str) -> bool {
    ZONES
        .iter()
        .any(|(_, classic, network)| *classic == zone_id || *network == zone_id)
}

/// Whether a host lies in that canonical zone: `NAME.REGION.elb.amazonaws.com` (classic, application) or
/// `NAME.elb.REGION.amazonaws.com` (network).
pub(super) fn lies_in(host: &str, zone_id: &str) -> bool {
    ZONES.iter().any(|(region, classic, network)| {
        let below = |suffix: String| host.strip_suffix(&suffix).is_some_and(|name| !name.is_empty());
        (*classic == zone_id && below(format!(".{region}.elb.amazonaws.com")))
            || (*network == zone_id && below(format!(".elb.{region}.amazonaws.com")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_lies_in_its_regions_zone_only() {
        let host = "a1b2-3.ap-southeast-2.elb.amazonaws.com";
        assert!(lies_in(host, "Z1GM3OXH4ZPM65"));
        assert!(lies_in(&format!("dualstack.{host}"), "Z1GM3OXH4ZPM65"));
        assert!(!lies_in(host, "Z35SXDOTRQ7X7K"));
        assert!(!lies_in(host, "ZCT6FZBF4DROD"));
        assert!(lies_in("a.elb.ap-southeast-2.amazonaws.com", "ZCT6FZBF4DROD"));
        assert!(!lies_in("ap-southeast-2.elb.amazonaws.com", "Z1GM3OXH4ZPM65"));
        assert!(!is_canonical_zone("Z37AJ8CHRUEZC6"));
    }
}

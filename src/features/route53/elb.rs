//! In which hosted zone of Amazon's a load balancer's name lies, told by its region and kind. An alias has to name that
//! zone. Not for asking the load balancing API, which would need permissions of its own.

/// Region, zone of classic and application load balancers, zone of network load balancers.
/// Source: the AWS General Reference, "Elastic Load Balancing endpoints and quotas". Newer regions: name the zone.
const ZONES: [(&str, &str, &str); 30] = [
    ("us-east-1", "Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"),
    ("us-east-2", "Z3AADJGX6KTTL2", "ZLMOA37VPKANP"),
    ("us-west-1", "Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"),
    ("us-west-2", "Z1H1FL5HABSF5", "Z18D5FSROUN65G"),
    ("ca-central-1", "ZQSVJUPU6J1EY", "Z2EPGBW3API2WT"),
    ("sa-east-1", "Z2P70J7HTTTPLU", "ZTK26PT1VY4CU"),
    ("ap-southeast-1", "Z1LMS91P8CMLE5", "ZKVM4W9LS7TM"),
    ("ap-southeast-2", "Z1GM3OXH4ZPM65", "ZCT6FZBF4DROD"),
    ("ap-southeast-3", "Z08888821HLRG5A9ZRTER", "Z01971771FYVNCOVWJU1G"),
    ("ap-northeast-1", "Z14GRHDCWA56QT", "Z31USIVHYNEOWT"),
    ("ap-northeast-2", "ZWKZPGTI48KDX", "ZIBE1TIR4HY56"),
    ("ap-northeast-3", "Z5LXEXXYW11ES", "Z1GWIQ4HH19I5X"),
    ("ap-south-1", "ZP97RAFLXTNZK", "ZVDDRBQ08TROA"),
    ("ap-south-2", "Z0173938T07WNTVAEPZN", "Z0711778386UTO08407HT"),
    ("ap-east-1", "Z3DQVH9N71FHZ0", "Z12Y7K3UBGUAD1"),
    ("eu-west-1", "Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"),
    ("eu-west-2", "ZHURV8PSTC4K8", "ZD4D7Y8KGAS4G"),
    ("eu-west-3", "Z3Q77PNBQS71R4", "Z1CMS0P5QUZ6D5"),
    ("eu-central-1", "Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"),
    ("eu-central-2", "Z06391101F2ZOEP8P5EB3", "Z02239872DOALSIDCX66S"),
    ("eu-north-1", "Z23TAZ6LKFMNIO", "Z1UDT6IFJ4EJM"),
    ("eu-south-1", "Z3ULH7SSC9OV64", "Z23146JA1KNAFP"),
    ("eu-south-2", "Z0956581394HF5D5LXGAP", "Z1011216NVTVYADP1SSV"),
    ("me-south-1", "ZS929ML54UICD", "Z3QSRYVP46NYYV"),
    ("me-central-1", "Z08230872XQRWHG2XF6I", "Z00282643NTTLPANJJG2P"),
    ("af-south-1", "Z268VQBMOI5EKX", "Z203XCE67M25HM"),
    ("us-gov-east-1", "Z166TLBEWOO7G0", "Z1ZSMQQ6Q24QQ8"),
    ("us-gov-west-1", "Z33AYJ8TM3BH4J", "ZMG1MZ2THAWF1"),
    ("cn-north-1", "Z1GDH35T77C1KE", "Z3QFB96KMJ7ED6"),
    ("cn-northwest-1", "ZM7IZAIOVVDZF", "ZQEIKTCZ8352D"),
];

/// The zone to name in an alias to this load balancer; none: not a load balancer's name, or its region is not known.
/// Classic and application load balancers are `NAME.REGION.elb.amazonaws.com`, network ones
/// `NAME.elb.REGION.amazonaws.com`; China's end in `.com.cn`.
pub fn canonical_zone(host: &str) -> Option<&'static str> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let labels: Vec<&str> = host.strip_suffix(".cn").unwrap_or(&host).split('.').collect();
    let (region, network) = match labels.as_slice() {
        [_, .., region, "elb", "amazonaws", "com"] => (*region, false),
        [_, .., "elb", region, "amazonaws", "com"] => (*region, true),
        _ => return None,
    };
    ZONES
        .iter()
        .find(|(known, ..)| *known == region)
        .map(|(_, shared, own)| if network { *own } else { *shared })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_and_kind_tell_the_zone() {
        let cases = [
            ("a1-2.ap-southeast-2.elb.amazonaws.com", Some("Z1GM3OXH4ZPM65")),
            ("A1-2.AP-southeast-2.elb.amazonaws.com.", Some("Z1GM3OXH4ZPM65")),
            ("dualstack.a1-2.eu-west-1.elb.amazonaws.com", Some("Z32O12XQLNTSW2")),
            ("web-1.elb.ap-southeast-2.amazonaws.com", Some("ZCT6FZBF4DROD")),
            ("web-1.cn-north-1.elb.amazonaws.com.cn", Some("Z1GDH35T77C1KE")),
            ("web-1.moon-1.elb.amazonaws.com", None),
            ("ap-southeast-2.elb.amazonaws.com", None),
            ("spawnhub.com", None),
            ("", None),
        ];
        for (host, zone) in cases {
            assert_eq!(canonical_zone(host), zone, "{host}");
        }
    }

    #[test]
    fn no_zone_serves_two() {
        let mut all: Vec<&str> = ZONES.iter().flat_map(|(_, one, other)| [*one, *other]).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), ZONES.len() * 2);
    }
}

//! The version an image's name tells. Not for parsing references in full.

/// What stands for the version in an image's name: its tag, else the start of its digest, else `latest`.
pub fn version_of(image: &str) -> &str {
    let (name, digest) = image
        .split_once('@')
        .map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or(name);
    match (last.split_once(':'), digest) {
        (Some((_, tag)), _) => tag,
        (None, Some(digest)) => {
            const SHORT: usize = 12;
            let hash = digest.split_once(':').map_or(digest, |(_, hash)| hash);
            hash.get(..SHORT).unwrap_or(hash)
        }
        (None, None) => "latest",
    }
}

#[cfg(test)]
mod tests {
    use super::version_of;

    #[test]
    fn tags_digests_and_ports_are_told_apart() {
        let cases = [
            ("so0k/kuar-inspector:2.0.0", "2.0.0"),
            ("registry:5000/web", "latest"),
            ("registry:5000/web:1", "1"),
            ("web@sha256:0123456789abcdef0123", "0123456789ab"),
            ("web:3@sha256:0123456789abcdef", "3"),
            ("web@x", "x"),
            ("", "latest"),
        ];
        for (image, wanted) in cases {
            assert_eq!(version_of(image), wanted, "{image}");
        }
    }
}

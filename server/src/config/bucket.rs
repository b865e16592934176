//! Settings of the bucket that has the files of attachments.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use hyper::Uri;

use super::values::set;
use super::{Settings, SettingsError};
use crate::files::{BucketRules, FilesPlace};

const PREFIX_MAX_BYTES: usize = 256;
const REGION_MAX_BYTES: usize = 64;

impl Settings {
    /// Where the files of attachments are.
    ///
    /// # Errors
    /// A value is not allowed, or the program was built without buckets.
    pub fn files_place(&self) -> Result<FilesPlace, SettingsError> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let file =
            |file: &Option<PathBuf>| file.clone().filter(|file| !file.as_os_str().is_empty());
        let bucket = text(&self.s3_bucket);
        let mut rules = BucketRules::new(text(&self.s3_endpoint), bucket);
        rules.prefix = text(&self.s3_prefix);
        rules.key = file(&self.s3_key);
        rules.ca = file(&self.s3_ca);
        rules.virtual_hosts = self.s3_virtual_hosts.unwrap_or_default();
        let region = text(&self.s3_region);
        if !region.is_empty() {
            rules.region = region;
        }
        let mut timeout_ms = BucketRules::TIMEOUT_MS;
        set(
            &mut timeout_ms,
            "s3_timeout_ms",
            self.s3_timeout_ms,
            100..=600_000,
        )?;
        rules.timeout = Duration::from_millis(timeout_ms);
        if rules.bucket.is_empty() {
            return match meant(&rules) {
                Some(name) => Err(SettingsError::Needs {
                    name,
                    other: "s3_bucket",
                }),
                None => Ok(FilesPlace::Directory),
            };
        }
        check(&rules, self.s3_plain_http.unwrap_or_default())?;
        if !cfg!(feature = "s3") {
            return Err(SettingsError::NotBuilt {
                name: "s3_bucket",
                feature: "s3",
            });
        }
        Ok(FilesPlace::Bucket(rules))
    }
}

/// A setting that only a bucket has a use for.
fn meant(rules: &BucketRules) -> Option<&'static str> {
    let told = [
        ("s3_endpoint", !rules.endpoint.is_empty()),
        ("s3_prefix", !rules.prefix.is_empty()),
        ("s3_key", rules.key.is_some()),
        ("s3_ca", rules.ca.is_some()),
    ];
    told.into_iter()
        .find(|(_, is_told)| *is_told)
        .map(|(name, _)| name)
}

fn check(rules: &BucketRules, plain_http: bool) -> Result<(), SettingsError> {
    let wrong = |name, value: &str, expected: &str| SettingsError::Value {
        name,
        value: value.to_owned(),
        expected: expected.to_owned(),
    };
    let of = |byte: u8, more: &[u8]| byte.is_ascii_alphanumeric() || more.contains(&byte);
    let BucketRules {
        bucket,
        region,
        prefix,
        endpoint,
        ..
    } = rules;
    let is_plain = |byte: u8| of(byte, b"-.") && !byte.is_ascii_uppercase();
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(is_plain) {
        let expected = "3 to 63 lower-case letters, digits, dots and hyphens";
        return Err(wrong("s3_bucket", bucket, expected));
    }
    if region.len() > REGION_MAX_BYTES || !region.bytes().all(|byte| of(byte, b"-_")) {
        let expected = "a name such as eu-central-1";
        return Err(wrong("s3_region", region, expected));
    }
    let is_part = |part: &str| {
        let is_dots = part.bytes().all(|byte| byte == b'.');
        !is_dots && part.bytes().all(|byte| of(byte, b"-_."))
    };
    if !prefix.is_empty() && (prefix.len() > PREFIX_MAX_BYTES || !prefix.split('/').all(is_part)) {
        let expected = "names of letters, digits and -_. with a slash between, none at the ends, at \
                        most 256 bytes";
        return Err(wrong("s3_prefix", prefix, expected));
    }
    if endpoint.is_empty() {
        return Ok(());
    }
    let wrong = |expected| wrong("s3_endpoint", endpoint, expected);
    let uri: Option<Uri> = endpoint.parse().ok();
    let is_bare = |uri: &Uri| {
        let authority = uri.authority().map_or("@", |authority| authority.as_str());
        matches!(uri.path(), "" | "/") && uri.query().is_none() && !authority.contains('@')
    };
    let uri = uri
        .filter(is_bare)
        .ok_or_else(|| wrong("https://HOST or https://HOST:PORT, without a path"))?;
    let host = uri.host().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_here || plain_http => {}
        Some(_) | None => {
            return Err(wrong(
                "https://HOST, or http:// on this machine; `s3_plain_http = true` allows it elsewhere",
            ));
        }
    }
    if rules.virtual_hosts && address.is_some() {
        return Err(wrong(
            "the name of a host where `s3_virtual_hosts` is true: an address has no hosts below it",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(endpoint: &str) -> Settings {
        Settings {
            s3_bucket: Some("plans".to_owned()),
            s3_endpoint: Some(endpoint.to_owned()),
            ..Settings::default()
        }
    }

    /// What is wrong; a bucket that is right may still lack its build.
    fn wrong(settings: &Settings) -> Option<String> {
        match settings.files_place() {
            Ok(_) | Err(SettingsError::NotBuilt { .. }) => None,
            Err(error) => Some(error.to_string()),
        }
    }

    #[test]
    fn plain_http_stays_on_this_machine_unless_it_is_allowed() {
        for endpoint in [
            "",
            "https://s3.example",
            "https://s3.example:9000/",
            "http://127.0.0.1:9000",
            "http://[::1]:9000",
            "http://localhost:9000",
        ] {
            assert_eq!(wrong(&with(endpoint)), None, "{endpoint}");
        }
        for endpoint in [
            "http://s3.example",
            "http://10.0.0.1:9000",
            "http://localhost.example",
            "https://s3.example/path",
            "https://user:pass@s3.example",
            "https://s3.example?a",
            "s3.example",
            "ftp://s3.example",
        ] {
            let error = wrong(&with(endpoint)).unwrap();
            assert!(error.contains("`s3_endpoint` is"), "{error}");
        }
        let mut allowed = with("http://s3.example");
        allowed.s3_plain_http = Some(true);
        assert_eq!(wrong(&allowed), None);
    }

    #[test]
    fn names_that_are_no_buckets_regions_or_prefixes_are_refused() {
        let change = |change: fn(&mut Settings)| {
            let mut settings = with("https://s3.example");
            change(&mut settings);
            wrong(&settings).unwrap_or_default()
        };
        for (said, name) in [
            (change(|s| s.s3_bucket = Some("ab".into())), "s3_bucket"),
            (
                change(|s| s.s3_bucket = Some("Plans/x".into())),
                "s3_bucket",
            ),
            (
                change(|s| s.s3_region = Some("eu central".into())),
                "s3_region",
            ),
            (change(|s| s.s3_prefix = Some("/a".into())), "s3_prefix"),
            (change(|s| s.s3_prefix = Some("a/../b".into())), "s3_prefix"),
            (change(|s| s.s3_prefix = Some("a//b".into())), "s3_prefix"),
            (change(|s| s.s3_timeout_ms = Some(1)), "s3_timeout_ms"),
        ] {
            assert!(said.contains(&format!("`{name}` is")), "{name}: {said}");
        }
        assert_eq!(change(|s| s.s3_prefix = Some("a/b.c".into())), "");
        let mut of_address = with("https://10.0.0.1");
        of_address.s3_virtual_hosts = Some(true);
        assert!(wrong(&of_address).unwrap().contains("name of a host"));
        let alone = Settings {
            s3_prefix: Some("a".into()),
            ..Settings::default()
        };
        assert_eq!(
            wrong(&alone).unwrap(),
            "`s3_prefix` needs `s3_bucket` as well"
        );
    }

    #[test]
    fn a_bucket_is_in_force_as_it_is_set_or_the_build_that_has_it_is_named() {
        let mut settings = with("https://s3.example");
        settings.s3_prefix = Some("files".to_owned());
        settings.attachment_max_bytes = Some(6 * 1_024 * 1_024 * 1_024);
        let error = settings.clone().into_config().unwrap_err().to_string();
        if !cfg!(feature = "s3") {
            assert!(error.contains("--features s3"), "{error}");
            return;
        }
        assert!(error.contains("from 1024 to 5368709120"), "{error}");
        settings.attachment_max_bytes = None;
        let config = settings.clone().into_config().unwrap();
        assert_eq!(config.files.to_string(), "s3://plans/files");
        let in_force = Settings::in_force(settings, &config);
        assert_eq!(in_force.clone().into_config().unwrap().files, config.files);
        assert_eq!(in_force.s3_region.as_deref(), Some("us-east-1"));
    }
}

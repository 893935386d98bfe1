//! Tests of reading and checking the configuration.
#![expect(clippy::unwrap_used, reason = "test")]

use super::*;

const SAMPLE: &str = r#"
data_dir = "elsewhere"
[server]
listen = "127.0.0.1:9090"
[security]
mode = "open"
[[endpoint]]
id = "mercy-west"
name = "Mercy General"
url = "https://fhir.mercy.example/r4"
auth = { kind = "bearer", token = "from-the-file" }
pull = { every = "6h", page_size = 50, concurrency = 2 }
trust = 10
patients = { from = "all" }
[[endpoint]]
id = "valley"
url = "http://127.0.0.1:9/fhir"
"#;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("careweave.toml");
    std::fs::write(&path, text).unwrap();
    Config::load_with(
        Some(&path),
        environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
    )
}

#[test]
fn the_environment_overrides_the_file_and_the_file_the_defaults() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("token");
    std::fs::write(&secret, "from-a-secret\n").unwrap();
    let config = load(
        SAMPLE,
        &[
            ("CAREWEAVE_SERVER__LISTEN", "127.0.0.1:7070"),
            ("CAREWEAVE_LIMITS__RETRIES_MAX", "2"),
            ("CAREWEAVE_ENDPOINT__MERCY_WEST__PULL__CONCURRENCY", "7"),
            ("CAREWEAVE_ENDPOINT__MERCY_WEST__AUTH__TOKEN_FILE", secret.to_str().unwrap()),
            ("CAREWEAVE_ENDPOINT__VALLEY__CA_FILE", "/etc/ca.pem"),
            ("CAREWEAVE_LOG", "debug"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.data_dir, PathBuf::from("elsewhere"));
    assert_eq!(config.server.base_url(), "http://127.0.0.1:7070");
    assert_eq!((config.limits.retries_max, config.limits.pages_max), (2, 100_000));
    let [mercy, valley] = config.endpoint.as_slice() else { panic!("two endpoints") };
    assert_eq!((mercy.pull.concurrency, mercy.pull.page_size), (7, 50));
    assert_eq!(mercy.pull.every, std::time::Duration::from_secs(6 * 3600));
    assert_eq!(mercy.auth, AuthConfig::Bearer { token: Secret("from-a-secret".into()) });
    assert!(!format!("{config:?}").contains("from-a-secret"));
    assert_eq!(valley.ca_file.as_deref(), Some(Path::new("/etc/ca.pem")));
}

#[test]
fn unknown_and_wrong_settings_are_named() {
    let wrong =
        |text: &str, environment: &[(&str, &str)]| load(text, environment).unwrap_err().to_string();
    assert!(wrong("[server]\nlissten = \"x\"", &[]).contains("lissten"));
    assert!(wrong("", &[("CAREWEAVE_SERVER__PORT", "1")]).contains("port"));
    assert!(wrong("[[endpoint]]\nid=\"a\"\npull={every=\"soon\"}", &[]).contains("15m"));
    assert!(wrong("[[endpoint]]\nid=\"a\"\npatients={from=\"any\"}", &[]).contains("file:PATH"));
    let unknown = wrong(SAMPLE, &[("CAREWEAVE_ENDPOINT__MARCY__URL", "http://x")]);
    assert!(unknown.contains("marcy") && unknown.contains("mercy-west, valley"), "{unknown}");
    let missing = Config::load_with(Some(Path::new("/nowhere/c.toml")), []).unwrap_err();
    assert!(matches!(missing, ConfigError::File { .. }));
}

#[test]
fn check_finds_what_cannot_work() {
    assert_eq!(load(SAMPLE, &[]).unwrap().check(), vec![]);
    let text = r#"
[server]
listen = "0.0.0.0:80"
public_base_url = "care.example"
[security]
mode = "open"
[[endpoint]]
id = "Mercy"
kind = "bulk"
[[endpoint]]
id = "twice"
url = "ftp://x/y"
[[endpoint]]
id = "twice"
url = "https://u:p@x/fhir"
pull = { page_size = 0 }
"#;
    let findings = load(text, &[]).unwrap().check();
    let keys: Vec<&str> = findings.iter().map(|f| f.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "security.mode",
            "server.public_base_url",
            "endpoint.Mercy.id",
            "endpoint.Mercy.kind",
            "endpoint.twice.url",
            "endpoint.twice.url",
            "endpoint.twice.pull.page_size",
            "endpoint.twice.id",
        ]
    );
    assert!(Config::default().check().iter().any(|f| f.text.contains("not built yet")));
}

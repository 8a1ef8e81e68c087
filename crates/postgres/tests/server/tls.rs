use std::fs;

use chatkeep_testkit::{PgOptions, PgServer};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::{open, shown};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// A server whose certificate is for `localhost` alone.
fn server(authority: &Issuer) -> PgServer {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    PgServer::start(PgOptions::default().tls(certificate.pem(), key.serialize_pem())).expect("a server")
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn each_sslmode_checks_what_it_says() {
    let (right, wrong) = (authority(), authority());
    let server = server(&right);
    let folder = tempfile::tempdir().expect("a folder");
    let root = |name: &str, authority: &Issuer| {
        let path = folder.path().join(name);
        fs::write(&path, authority.pem()).expect("a file");
        path.display().to_string()
    };
    let (right, wrong) = (root("right.pem", &right), root("wrong.pem", &wrong));
    for (host, mode, root, opens) in [
        ("localhost", "disable", None, true),
        ("localhost", "allow", None, true),
        ("localhost", "prefer", None, true),
        ("localhost", "require", None, true),
        ("localhost", "verify-ca", None, false),
        ("localhost", "verify-full", None, false),
        ("localhost", "require", Some(&right), true),
        ("localhost", "require", Some(&wrong), false),
        ("localhost", "verify-ca", Some(&right), true),
        ("localhost", "verify-ca", Some(&wrong), false),
        ("localhost", "verify-full", Some(&right), true),
        ("localhost", "verify-full", Some(&wrong), false),
        ("127.0.0.1", "verify-ca", Some(&right), true),
        ("127.0.0.1", "verify-full", Some(&right), false),
    ] {
        let root = root.map(|root| format!("&sslrootcert={root}")).unwrap_or_default();
        let url = format!("postgres://postgres@{host}:{}/postgres?sslmode={mode}{root}", server.port());
        match open(&url).await {
            Ok(_) => assert!(opens, "{url} opens"),
            Err(error) => {
                assert!(!opens && shown(&error).contains("certificate"), "{url}: {}", shown(&error));
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_server_that_takes_tls_alone_is_reached_where_the_mode_allows_it() {
    let server = server(&authority());
    let hba = server.psql("SHOW hba_file").expect("the file");
    fs::write(&hba, "local all all trust\nhostssl all all all trust\n").expect("a file");
    server.psql("SELECT pg_reload_conf()").expect("it reads the file");
    for (mode, opens) in [("disable", false), ("allow", true), ("prefer", true), ("require", true)] {
        let url = format!("postgres://postgres@localhost:{}/postgres?sslmode={mode}", server.port());
        assert_eq!(open(&url).await.is_ok(), opens, "{mode}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
async fn a_server_without_tls_is_refused_where_the_mode_demands_it() {
    let server = PgServer::start(PgOptions::default()).expect("a server");
    for (mode, opens) in [("prefer", true), ("require", false), ("verify-full", false)] {
        assert_eq!(open(&format!("{}?sslmode={mode}", server.url())).await.is_ok(), opens, "{mode}");
    }
}

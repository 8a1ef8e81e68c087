use std::fs;

use super::parameters::{PARAMETERS, Use};
use super::*;

/// Each of these errors has something of the URL in it that is not to be shown.
const SECRET: &str = "hunter2";

fn read(url: &str) -> PostgresServer {
    PostgresServer::from_url(&url.to_owned().into()).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn refused(url: &str) -> String {
    let error = PostgresServer::from_url(&url.to_owned().into()).expect_err(url);
    assert!(!format!("{error} {error:?}").contains(SECRET), "{url}: {error}");
    assert_eq!(error.field, "url");
    error.to_string()
}

/// host, port, database, user and password.
fn parts(server: &PostgresServer) -> [String; 5] {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let password = server.password.as_ref().map(|password| password.expose_secret().to_owned());
    [
        text(&server.host),
        server.port.map(|port| port.to_string()).unwrap_or_default(),
        text(&server.database),
        text(&server.user),
        password.unwrap_or_default(),
    ]
}

#[test]
fn a_url_has_its_parts() {
    for (url, wanted) in [
        ("postgres://ada:pw@db.example.com:5433/chat", ["db.example.com", "5433", "chat", "ada", "pw"]),
        ("postgresql://db/chat", ["db", "", "chat", "", ""]),
        ("postgres://", ["", "", "", "", ""]),
        ("postgres://ada@/chat", ["", "", "chat", "ada", ""]),
        ("postgres://u@[::1]:5432/db", ["::1", "5432", "db", "u", ""]),
        ("postgres://[2001:db8::7]", ["2001:db8::7", "", "", "", ""]),
        ("postgres://a%40b:p%40s%2Fs%3A%23%25@h/d%2Fe%20f", ["h", "", "d/e f", "a@b", "p@s/s:#%"]),
        ("postgres://u:p@ss@h/d", ["h", "", "d", "u", "p@ss"]),
        ("postgres://u:a+b@h/d", ["h", "", "d", "u", "a+b"]),
        ("postgres://u@%2Fvar%2Frun%2Fpostgresql:5433/d", ["/var/run/postgresql", "5433", "d", "u", ""]),
        (
            "postgres:///d?host=/var/run/postgresql&user=u&password=a+b%26",
            ["/var/run/postgresql", "", "d", "u", "a+b&"],
        ),
        (
            "postgres://u:p@localhost/d?host=/cloudsql/project:region:instance",
            ["/cloudsql/project:region:instance", "", "d", "u", "p"],
        ),
        ("postgres:///?hostaddr=::1&port=6&dbname=d", ["::1", "6", "d", "", ""]),
        (" postgres://h/d\n", ["h", "", "d", "", ""]),
    ] {
        assert_eq!(parts(&read(url)), wanted, "{url}");
        to_options(&read(url)).unwrap();
    }
}

#[test]
fn the_urls_that_providers_hand_out_open() {
    for (url, sslmode, schema, statements) in [
        // Heroku, Railway, Render
        ("postgres://u:p@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d5h", None, None, None),
        // Neon, for other programs than psql
        (
            "postgresql://u:p@ep-x-1.eu-central-1.aws.neon.tech/neondb?sslmode=require&options=endpoint%3Dep-x-1",
            Some(SslMode::Require),
            None,
            None,
        ),
        (
            "postgresql://u:p@ep-x-1.eu-central-1.aws.neon.tech/neondb?sslmode=verify-full&sslrootcert=system",
            Some(SslMode::VerifyFull),
            None,
            None,
        ),
        // Supabase, direct, for Prisma, and by Vercel
        ("postgresql://postgres:p@db.abc.supabase.co:5432/postgres", None, None, None),
        (
            "postgresql://postgres.abc:p@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?pgbouncer=true",
            None,
            None,
            Some(0),
        ),
        (
            "postgres://postgres.abc:p@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?sslmode=require&supa=base-pooler.x",
            Some(SslMode::Require),
            None,
            None,
        ),
        (
            "postgres://postgres:p@db.abc.supabase.co:6543/postgres?workaround=supabase-pooler.vercel",
            None,
            None,
            None,
        ),
        // Azure, DigitalOcean, Aiven
        (
            "postgres://u:p@h.postgres.database.azure.com:5432/postgres?sslmode=require",
            Some(SslMode::Require),
            None,
            None,
        ),
        // Prisma
        (
            "postgresql://u:p@h:5432/d?schema=app&connection_limit=5&pool_timeout=2&connect_timeout=30&socket_timeout=3&sslaccept=accept_invalid_certs",
            None,
            Some("app"),
            None,
        ),
        // JDBC, without `jdbc:`
        ("postgresql://h/d?currentSchema=app&user=u&password=p", None, Some("app"), None),
        // CockroachDB
        (
            "postgresql://u:p@h:26257/d?sslmode=verify-full&options=--cluster%3Dx-1",
            Some(SslMode::VerifyFull),
            None,
            None,
        ),
    ] {
        let server = read(url);
        assert_eq!(
            (server.sslmode, server.schema.as_deref(), server.max_statements),
            (sslmode, schema, statements),
            "{url}"
        );
        to_options(&server).unwrap_or_else(|error| panic!("{url}: {error}"));
    }
}

#[test]
fn what_providers_hand_out_and_cannot_be_honoured_says_what_to_change() {
    for (url, part) in [
        (
            "postgresql://u:hunter2@ep-x-1.neon.tech/neondb?sslmode=require&channel_binding=require",
            "sslmode=verify-full",
        ),
        ("postgresql+psycopg://u:hunter2@h/d", "without a `+`"),
        ("postgresql+asyncpg://u:hunter2@h/d", "without a `+`"),
        ("postgresql://u:hunter2@h/d?ssl=true", "sslmode=require"),
        ("postgresql://u:hunter2@h/d?sslmode=no-verify", "require"),
        ("postgresql://u:hunter2@h/d?sslaccept=strict", "sslmode=verify-full"),
        ("jdbc:postgresql://h/d", "postgres://"),
        ("mysql://u:hunter2@h/d", "postgres://"),
    ] {
        assert!(refused(url).contains(part), "{url}: {}", refused(url));
    }
}

#[test]
fn what_is_no_url_of_one_server_is_refused_without_repeating_it() {
    for (url, part) in [
        ("hunter2", "a text without a scheme"),
        ("postgres://u:hunter2@h:70000/d", "1 to 65535"),
        ("postgres://u:hunter2@h:0/d", "1 to 65535"),
        ("postgres://u:hunter2@h:/d%00", "U+0000"),
        ("postgres://u:1/hunter2@h/d", "%2F"),
        ("postgres://u:1#hunter2@h/d", "%23"),
        ("postgres://u:1?hunter2@h/d", "another"),
        ("postgres://u:1?hunter2&x@h/d", "another"),
        ("postgres://u:hunter2%@h/d", "%25"),
        ("postgres://u:hunter2%zz@h/d", "%25"),
        ("postgres://u:hunter2%ff@h/d", "UTF-8"),
        ("postgres://u:hunter2\n@h/d", "a control character"),
        ("postgres://h1:5432,h2:5433/d", "several hosts"),
        ("postgres://h1,h2/d", "several hosts"),
        ("postgres:///d?host=h1,h2", "several hosts"),
        ("postgres://::1/d", "brackets"),
        ("postgres://[::1/d", "`]`"),
        ("postgres://[hunter2]/d", "IPv6"),
        ("postgres://[::1]hunter2/d", "behind the brackets"),
        ("postgres://h/d?hostaddr=1.2.3.4", "hostaddr"),
        ("postgres:///d?hostaddr=hunter2", "an IP address"),
        ("postgres://h/d?port=hunter2", "`port`"),
        ("postgres://h/d?sslmode=hunter2", "`sslmode`"),
        ("postgres://h/d?sslmode", "`sslmode`"),
        ("postgres://h/d?sslmode=require&sslmode=disable", "`sslmode` twice"),
        ("postgres://h/d?schema=a&currentSchema=b", "`schema` twice"),
        ("postgres://h/d?schema=a,b", "one schema"),
        ("postgres://h/d?schema=", "`schema`"),
        ("postgres://h/d?schema=pg_hunter2", "PostgreSQL's own"),
        ("postgres://h/d?schema=%24user", "PostgreSQL's own"),
        ("postgres://h/d?connection_limit=0", "`connection_limit`"),
        ("postgres://h/d?pgbouncer=hunter2", "`pgbouncer`"),
        ("postgres://h/d?statement_cache_size=-1", "`statement_cache_size`"),
        ("postgres://h/d?hunter3=hunter2", "`hunter3`"),
        ("postgres://h/d?hunter2%20and%20more=1", "another"),
        ("postgres://h/d?options[]=x", "`options[]`"),
    ] {
        assert!(refused(url).contains(part), "{url}: {}", refused(url));
    }
}

/// libpq's of PostgreSQL 18, as its documentation has them.
const LIBPQ: &[&str] = &[
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "require_auth",
    "channel_binding",
    "connect_timeout",
    "client_encoding",
    "options",
    "application_name",
    "fallback_application_name",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "replication",
    "gssencmode",
    "sslmode",
    "requiressl",
    "sslnegotiation",
    "sslcompression",
    "sslcert",
    "sslkey",
    "sslkeylogfile",
    "sslpassword",
    "sslcertmode",
    "sslrootcert",
    "sslcrl",
    "sslcrldir",
    "sslsni",
    "requirepeer",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "min_protocol_version",
    "max_protocol_version",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "scram_client_key",
    "scram_server_key",
    "service",
    "servicefile",
    "target_session_attrs",
    "load_balance_hosts",
    "oauth_issuer",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_scope",
];

#[test]
fn every_parameter_is_known_documented_and_treated_as_the_table_says() {
    let readme = include_str!("../../README.md");
    for name in LIBPQ {
        assert!(PARAMETERS.iter().any(|(known, _)| known == name), "{name}");
    }
    for (name, usage) in PARAMETERS {
        assert!(readme.contains(&format!("`{name}`")), "the README does not name {name}");
        let url = |value: &str| format!("postgres://h/d?{name}={value}");
        match usage {
            Use::Set(_) => {}
            Use::Ignore => assert_eq!(parts(&read(&url("1"))), parts(&read("postgres://h/d")), "{name}"),
            Use::Only(values, advice) => {
                values.iter().for_each(|value| drop(read(&url(value))));
                assert!(refused(&url(SECRET)).contains(advice), "{name}");
            }
            Use::Refuse(advice) => assert!(refused(&url(SECRET)).contains(advice), "{name}"),
        }
    }
}

#[test]
fn what_is_honoured_reaches_the_driver() {
    let url = "postgres://h/d?application_name=mine&fallback_application_name=other&options=-c%20geqo%3Doff\
               &options[work_mem]=1%20MB&connection_limit=3&statement_cache_size=7&pgbouncer=false";
    let server = read(url);
    assert_eq!((server.max_connections, server.max_statements), (Some(3), Some(7)));
    let options = to_options(&server).unwrap();
    assert_eq!(options.get_application_name(), Some("mine"));
    assert!(
        options.get_options().unwrap().ends_with("-c geqo=off -c work_mem=1\\ MB"),
        "{:?}",
        options.get_options()
    );
    assert_eq!((options.get_host(), options.get_database()), ("h", Some("d")));
    assert_eq!(
        read("postgres://h/d?fallback_application_name=other").application_name.as_deref(),
        Some("other")
    );
}

fn problem(server: &PostgresServer) -> String {
    server.validate().unwrap_err().to_string()
}

#[test]
fn a_host_is_one_host() {
    let host = |host: &str| PostgresServer { host: Some(host.to_owned()), ..PostgresServer::default() };
    for good in [
        "localhost",
        "db_1.example.com.",
        "127.0.0.1",
        "::1",
        "[::1]",
        "/var/run/postgresql",
        "bücher.example",
    ] {
        to_options(&host(good)).unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    assert_eq!(to_options(&host("[::1]")).unwrap().get_host(), "::1");
    for bad in ["", "a,b", "h:5432", "[h]", "postgres://h", "u@h", "a b", "@abstract", "h/d", "a\nb"] {
        assert!(problem(&host(bad)).starts_with("host must"), "{bad}");
    }
}

#[test]
fn a_schema_is_one_name() {
    let schema = |name: &str| PostgresServer { schema: Some(name.to_owned()), ..PostgresServer::default() };
    for good in ["app", "My App", "a\"b", "a'b\\", "público", "public", &"x".repeat(63)] {
        schema(good).validate().unwrap_or_else(|error| panic!("{good}: {error}"));
    }
    for bad in ["", "a,b", "pg_temp", "$user", "information_schema", "a\0b", "a\nb", &"x".repeat(64)] {
        assert!(problem(&schema(bad)).starts_with("schema must"), "{bad}");
    }
    assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
}

#[test]
fn files_of_certificates_are_there_and_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let pem = file("pem", "-----BEGIN CERTIFICATE-----\n");
    let with = |sslmode, root: PathBuf| PostgresServer {
        sslmode: Some(sslmode),
        sslrootcert: Some(root),
        ..PostgresServer::default()
    };
    for mode in [SslMode::Require, SslMode::VerifyCa, SslMode::VerifyFull] {
        with(mode, pem.clone()).validate().unwrap();
    }
    for mode in [SslMode::Disable, SslMode::Allow, SslMode::Prefer] {
        assert!(problem(&with(mode, pem.clone())).starts_with("sslmode must be verify-full"));
    }
    let missing = folder.path().join("missing.pem");
    let error = problem(&with(SslMode::VerifyFull, missing.clone()));
    assert!(error.starts_with("sslrootcert must be a file that can be read"), "{error}");
    assert!(error.contains(missing.to_str().unwrap()), "{error}");
    assert!(problem(&with(SslMode::VerifyFull, folder.path().to_owned())).contains("that can be read"));
    assert!(problem(&with(SslMode::VerifyFull, file("der", "\u{30}\u{82}"))).contains("PEM"));
    with(SslMode::VerifyFull, "system".into()).validate().unwrap();
    assert!(problem(&with(SslMode::Require, "system".into())).contains("`system`"));
    let certificate = PostgresServer { sslcert: Some(pem), ..PostgresServer::default() };
    assert!(problem(&certificate).contains("sslkey"));
}

#[test]
fn debug_shows_no_secret() {
    let server = read("postgres://hunter2:hunter2@hunter2/hunter2?options=hunter2");
    assert!(!format!("{server:?} {server:#?}").contains(SECRET));
}

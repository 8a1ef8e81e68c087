//! The servers of the testkit, started, stopped and killed for real.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use chatkeep_testkit::{PgBouncer, PgOptions, PgServer, PoolMode, StopMode, find_postgres, shared_postgres};

/// A query as a client on the network sends it.
fn query(url: &str, sql: &str) -> Result<String, String> {
    let psql = find_postgres().map_err(|error| error.to_string())?.join("psql");
    let output = Command::new(psql)
        .args(["-X", "-A", "-t", "-q", url, "-c", sql])
        .output()
        .map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn the_shared_server_answers() -> Result<()> {
    let url = shared_postgres()?;
    assert_eq!(query(&url, "SHOW server_encoding").as_deref(), Ok("UTF8"));
    Ok(())
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn data_and_url_survive_every_stop_and_a_kill() -> Result<()> {
    let server = PgServer::start(PgOptions::default().fsync(true))?;
    let url = server.create_database("kept", None)?;
    assert!(server.version()?.starts_with("PostgreSQL "));
    query(&url, "CREATE TABLE t (n int); INSERT INTO t VALUES (0)").unwrap();
    for mode in [StopMode::Smart, StopMode::Fast, StopMode::Immediate] {
        server.stop(mode)?;
        assert!(!server.is_running());
        assert!(server.stop(mode).is_err(), "a stopped server cannot be stopped");
        query(&url, "SELECT 1").unwrap_err();
        server.start_again()?;
        assert!(server.start_again().is_err(), "a running server cannot be started");
        query(&url, "INSERT INTO t VALUES (1)").unwrap();
    }
    server.kill9()?;
    assert!(!server.is_running());
    assert!(server.kill9().is_err(), "a killed server cannot be killed");
    query(&url, "SELECT 1").unwrap_err();
    server.start_again()?;
    server.restart(StopMode::Fast)?;
    assert_eq!(query(&url, "SELECT count(*) FROM t").as_deref(), Ok("4"));
    Ok(())
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn a_kill_ends_the_running_queries_too() -> Result<()> {
    let server = PgServer::start(PgOptions::default())?;
    let url = server.url();
    let client = std::thread::spawn(move || query(&url, "SELECT pg_sleep(600)"));
    while server.psql("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'")? != "1" {}
    server.kill9()?;
    assert!(client.join().unwrap().is_err());
    Ok(())
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn a_password_is_asked_for() -> Result<()> {
    let server = PgServer::start(PgOptions::default().password("p@ss/w:rd%"))?;
    assert_eq!(query(&server.url(), "SELECT 1").as_deref(), Ok("1"));
    let refusal =
        query(&format!("postgres://postgres:wrong@127.0.0.1:{}/postgres", server.port()), "SELECT 1");
    assert!(refusal.unwrap_err().contains("password authentication failed"));
    assert_eq!(server.psql("SELECT 2")?, "2", "the helper needs none");
    Ok(())
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn settings_and_templates_are_taken() -> Result<()> {
    let server = PgServer::start(PgOptions::default().max_connections(17).set("timezone", "Asia/Tokyo"))?;
    let settings =
        "SELECT current_setting('max_connections'), current_setting('timezone'), current_setting('fsync')";
    assert_eq!(server.psql(settings)?, "17|Asia/Tokyo|off");
    server.create_database("mould", None)?;
    server.psql_in("mould", "CREATE TABLE t AS SELECT 7 AS n")?;
    let url = server.create_database("an \"odd\" name", Some("mould"))?;
    assert_eq!(query(&url, "SELECT n FROM t").as_deref(), Ok("7"));
    let twice = server.create_database("mould", None).unwrap_err();
    assert!(format!("{twice:#}").contains("already exists"), "{twice:#}");
    Ok(())
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn a_server_that_does_not_start_says_why() {
    let error = PgServer::start(PgOptions::default().set("max_connections", "many")).unwrap_err();
    assert!(format!("{error:#}").contains("invalid value for parameter \"max_connections\""), "{error:#}");
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn nothing_is_left_behind_a_panic() {
    let server = PgServer::start(PgOptions::default()).unwrap();
    let (data, url) = (server.psql("SHOW data_directory").unwrap(), server.url());
    let test = std::thread::spawn(move || {
        let _server = server;
        panic!("the server must go now");
    });
    test.join().unwrap_err();
    query(&url, "SELECT 1").unwrap_err();
    assert!(!Path::new(&data).parent().unwrap().exists());
}

#[test]
#[ignore = "needs PostgreSQL: run `cargo xtask test`"]
fn the_pooler_gives_a_connection_for_one_transaction() -> Result<()> {
    let server = PgServer::start(PgOptions::default().password("secret"))?;
    server.create_database("pooled", None)?;
    let pooler = PgBouncer::start(&server, PoolMode::Transaction)?;
    let url = pooler.url("pooled");
    assert_eq!(query(&url, "SELECT current_database()").as_deref(), Ok("pooled"));
    let admin = pooler.url("pgbouncer");
    assert!(query(&admin, "SHOW CONFIG").is_ok_and(|it| it.contains("pool_mode|transaction|")));
    server.restart(StopMode::Fast)?;
    // The pooler learns from its first use of a connection that the server closed it.
    let answer = query(&url, "SELECT 1").or_else(|_| query(&url, "SELECT 1"));
    assert_eq!(answer.as_deref(), Ok("1"));
    Ok(())
}

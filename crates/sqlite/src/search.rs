//! Search.

use async_trait::async_trait;
use chatkeep_domain::search::{CorruptCandidate, SearchCandidate, SearchPlan};
use chatkeep_domain::{Codec, MessageSearch, OrgId, Scope, SearchPage, SearchQuery, StoreError, UserId};
use rusqlite::Connection;

use crate::candidates::Candidates;
use crate::error::Result;
use crate::in_thread::{self, InThread};
use crate::index::Wanted;
use crate::parts::Within;
use crate::places::{Bounds, Place};
use crate::row::Opener;
use crate::store::{Context, SqliteRepository};

/// All organizations, for the operator.
const ORGS: &str = "SELECT key, org_id FROM chat_org WHERE key <> 0";

fn search(
    connection: &Connection,
    context: &Context,
    scope: &Scope,
    query: &SearchQuery,
) -> Result<SearchPage> {
    let mut plan = SearchPlan::new(query)?;
    let thread = query.thread.map(|thread| InThread::find(connection, context, scope, thread)).transpose()?;
    let within = thread.as_ref().map(|thread| match query.branch {
        Some(branch) => thread.path(branch).map(Within::Path),
        None => Within::all(connection, &thread.thread),
    });
    let (within, thread) = (within.transpose()?, thread.map(|thread| thread.thread));
    let orgs = match (&thread, scope.org_id()) {
        (Some(thread), _) => vec![(thread.org, thread.org_id.clone())],
        (None, Some(org)) => {
            in_thread::find_org(connection, org)?.map(|key| (key, org.clone())).into_iter().collect()
        }
        (None, None) => all_orgs(connection)?,
    };
    let (mut reading, mut sources) = (None, Vec::new());
    while let Some(read) = plan.next_read() {
        if reading.replace(plan.reading()) != Some(plan.reading()) {
            let source = |(org, org_id): &(i64, OrgId)| {
                let wanted = Wanted {
                    org: *org,
                    thread: thread.as_ref().map(|thread| thread.key),
                    user: scope.user_id().map(UserId::as_str).filter(|_| thread.is_none()),
                    sender: query.filter.sender_id.as_ref().map(UserId::as_str),
                    metadata: &query.filter.metadata,
                    expr: plan.expr(),
                };
                Candidates::new(org_id, &wanted, within.as_ref(), &query.filter)
            };
            sources = orgs.iter().map(source).collect();
        }
        let bounds = Bounds::of(&read);
        let mut places = Vec::new();
        for source in &mut sources {
            places.extend(source.next(connection, &bounds)?);
        }
        bounds.sort(&mut places);
        places.truncate(read.limit);
        let found = places
            .iter()
            .map(|place| candidate(connection, &*context.codec, place))
            .collect::<Result<Vec<_>>>()?;
        plan.add(found);
    }
    Ok(plan.finish()?)
}

fn all_orgs(connection: &Connection) -> Result<Vec<(i64, OrgId)>> {
    let mut statement = connection.prepare_cached(ORGS)?;
    let mut rows = statement.query([])?;
    let mut orgs = Vec::new();
    while let Some(row) = rows.next()? {
        orgs.push((row.get(0)?, OrgId::new(row.get::<_, String>(1)?)?));
    }
    Ok(orgs)
}

type Candidate = std::result::Result<SearchCandidate, Box<CorruptCandidate>>;

fn candidate(connection: &Connection, codec: &dyn Codec, place: &Place) -> Result<Candidate> {
    let org = &place.key.org_id;
    let (message, name) = place.message(connection, Opener { codec, org })?;
    Ok(match message {
        Ok(message) => {
            let found = SearchCandidate::new(org.clone(), name, message);
            Ok(if place.is_exact { found.with_exact_words() } else { found })
        }
        Err(error) => Err(Box::new(CorruptCandidate::new(place.key.clone(), error))),
    })
}

#[async_trait]
impl MessageSearch for SqliteRepository {
    async fn search_messages(&self, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        SearchPlan::new(query)?;
        let (scope, query, context) = (scope.clone(), query.clone(), self.context());
        self.read_long(move |connection| search(connection, &context, &scope, &query)).await
    }
}

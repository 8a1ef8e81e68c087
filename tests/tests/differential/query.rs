//! Queries, and what the oracle expects of them.

use chatkeep_domain::{
    MessageFilter, MessageId, MessageQuery, MetadataFilter, Order, OrgId, Role, Scope, SearchOrder,
    SearchQuery, SearchReading, ThreadId, ThreadQuery, Timestamp,
};

use crate::common::at;
use crate::corpus::filters;
use crate::model::{Model, Place, StoredMessage, StoredThread, user};
use crate::typed::Typed;

/// Who asks. The operator asks for one corpus: all share the stores.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asker {
    User(usize, usize),
    Org(usize),
    Operator,
}

impl Asker {
    pub(crate) fn scope(self, place: Place) -> Scope {
        match self {
            Self::User(org, number) => Scope::user(place.org(org), user(number)),
            Self::Org(org) => Scope::org(place.org(org)),
            Self::Operator => Scope::operator(),
        }
    }

    fn sees(self, thread: &StoredThread) -> bool {
        match self {
            Self::User(org, user) => (thread.org, thread.user) == (org, user),
            Self::Org(org) => thread.org == org,
            Self::Operator => true,
        }
    }
}

fn wanted(numbers: &[usize]) -> Vec<MetadataFilter> {
    let filter = |(path, value)| MetadataFilter::new(path, value).expect("a filter");
    numbers.iter().map(|number| filter(filters()[*number].clone())).collect()
}

/// What narrows a list of messages, whether it is searched or read in order.
#[derive(Debug, Clone)]
pub(crate) struct Filters {
    pub(crate) role: Option<Role>,
    pub(crate) sender: Option<usize>,
    pub(crate) from: Option<i64>,
    pub(crate) until: Option<i64>,
    pub(crate) metadata: Vec<usize>,
}

impl Filters {
    fn asked(&self, from: Option<Timestamp>, until: Option<Timestamp>) -> MessageFilter {
        let mut asked = MessageFilter::new().created(from, until);
        asked.roles.extend(self.role);
        asked.sender_id = self.sender.map(user);
        asked.metadata = wanted(&self.metadata);
        asked
    }

    fn is_within(&self, at: i64) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }

    /// Written again, without what the domain has for it.
    fn let_through(&self, message: &StoredMessage) -> bool {
        let metadata = message.content.get("metadata");
        let has = |number: &usize| {
            let (path, value) = &filters()[*number];
            metadata.and_then(|metadata| metadata.pointer(path)) == Some(value)
        };
        self.role.is_none_or(|role| role == message.role)
            && self.sender.is_none_or(|sender| message.sender == Some(sender))
            && self.is_within(message.at)
            && self.metadata.iter().all(has)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) typed: Typed,
    pub(crate) asker: Asker,
    pub(crate) thread: Option<usize>,
    pub(crate) filters: Filters,
    pub(crate) order: SearchOrder,
    pub(crate) limit: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) asker: Asker,
    pub(crate) thread: usize,
    pub(crate) filters: Filters,
    pub(crate) order: Order,
    pub(crate) after: Option<usize>,
    pub(crate) before: Option<usize>,
    pub(crate) offset: u64,
    pub(crate) limit: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Threads {
    pub(crate) asker: Asker,
    pub(crate) org: Option<usize>,
    pub(crate) user: Option<usize>,
    pub(crate) name: Option<Result<&'static str, String>>,
    pub(crate) created: (Option<i64>, Option<i64>),
    pub(crate) updated: (Option<i64>, Option<i64>),
    pub(crate) metadata: Vec<usize>,
    pub(crate) limit: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Query {
    Search(Search),
    Read(Read),
    Threads(Threads),
}

/// What the oracle knows of an answer.
#[derive(Debug, PartialEq)]
pub(crate) enum Expected<T> {
    /// The call fails, and the error says this.
    Refused(&'static str),
    InOrder(Vec<T>),
    InAnyOrder(Vec<T>),
    Unknown,
}

/// A message across organizations and threads.
pub(crate) type Found = (OrgId, ThreadId, MessageId);

impl Search {
    pub(crate) fn query(&self, place: Place) -> SearchQuery {
        let Filters { from, until, .. } = &self.filters;
        let is_operator = matches!(self.asker, Asker::Operator);
        // The operator's second is this corpus's.
        let from = from.or(is_operator.then_some(0)).map(|micros| at(place.moment(micros)));
        let until = until.or(is_operator.then_some(1_000_000)).map(|micros| at(place.moment(micros)));
        let query = SearchQuery::new(self.typed.text()).order(self.order).limit(self.limit);
        let mut query = query.filter(self.filters.asked(from, until));
        query.thread = self.thread.map(|slot| place.thread(slot));
        query
    }

    /// What is found, and how the text is read, where that is known.
    pub(crate) fn expected(&self, model: &Model) -> (Expected<Found>, Option<SearchReading>) {
        let seen = || model.threads.iter().filter(|thread| self.asker.sees(thread));
        if matches!(self.typed, Typed::Other(_)) {
            return (Expected::Unknown, None);
        }
        if let Some(slot) = self.thread {
            match seen().filter(|thread| thread.slot == slot).count() {
                0 => return (Expected::Refused("not found"), None),
                1 => {}
                _ => return (Expected::Refused("thread_id"), None),
            }
        }
        let (mut found, mut reading) = match &self.typed {
            Typed::Blank(_) => (self.found(model, |_| true), SearchReading::Query),
            Typed::Simple(simple) => {
                (self.found(model, |message| simple.matches(&message.plain)), SearchReading::Query)
            }
            Typed::Unwanted(..) | Typed::Other(_) => (Vec::new(), SearchReading::Text),
        };
        // A limit of 0 asks nothing, and so finds out nothing.
        if found.is_empty() && self.typed.excludes() && self.limit > 0 {
            let Some(words) = self.typed.words() else {
                return (Expected::Unknown, Some(SearchReading::Text));
            };
            found = self.found(model, |message| message.plain.is_superset(&words));
            reading = SearchReading::Text;
        }
        // Without words there is nothing to rank.
        let is_ranked = self.order == SearchOrder::Relevance && !matches!(self.typed, Typed::Blank(_));
        let found = if is_ranked { Expected::InAnyOrder(found) } else { Expected::InOrder(found) };
        (found, Some(reading))
    }

    /// The messages that the asker sees and the filters let through, in order.
    fn found(&self, model: &Model, says: impl Fn(&StoredMessage) -> bool) -> Vec<Found> {
        let mut found: Vec<_> = Vec::new();
        let seen = model.threads.iter().filter(|thread| self.asker.sees(thread));
        for thread in seen.filter(|thread| self.thread.is_none_or(|slot| thread.slot == slot)) {
            for message in
                thread.messages.iter().filter(|message| self.filters.let_through(message) && says(message))
            {
                let (id, org) = (model.place.thread(thread.slot), model.place.org(thread.org));
                let time = self.thread.is_none().then_some(message.at);
                found.push(((time, id, message.position, org.clone()), (org, id, message.id)));
            }
        }
        found.sort();
        if self.order != SearchOrder::Oldest {
            found.reverse();
        }
        found.into_iter().map(|(_, found)| found).collect()
    }
}

impl Read {
    pub(crate) fn query(&self, place: Place) -> MessageQuery {
        let moment = |micros: Option<i64>| micros.map(|micros| at(place.moment(micros)));
        let (from, until) = (moment(self.filters.from), moment(self.filters.until));
        let position = |number| chatkeep_domain::Position::ZERO.advance(number).expect("a position");
        let query = MessageQuery::first(self.limit).order(self.order).offset(self.offset);
        let mut query = query.filter(self.filters.asked(from, until));
        (query.after, query.before) = (self.after.map(position), self.before.map(position));
        query
    }

    pub(crate) fn expected(&self, model: &Model) -> Expected<MessageId> {
        let mut seen =
            model.threads.iter().filter(|thread| thread.slot == self.thread && self.asker.sees(thread));
        let Some(thread) = seen.next() else { return Expected::Refused("not found") };
        if seen.next().is_some() {
            return Expected::Refused("thread_id");
        }
        let is_between = |message: &&StoredMessage| {
            let position = message.position.get();
            let number = |place: usize| i64::try_from(place).expect("a small number");
            self.after.is_none_or(|after| position > number(after))
                && self.before.is_none_or(|before| position < number(before))
        };
        let messages = thread.messages.iter().filter(is_between);
        let mut found: Vec<_> = messages.filter(|message| self.filters.let_through(message)).collect();
        if self.order == Order::NewestFirst {
            found.reverse();
        }
        let offset = usize::try_from(self.offset).expect("a small number");
        Expected::InOrder(found.into_iter().skip(offset).map(|message| message.id).collect())
    }
}

impl Threads {
    pub(crate) fn query(&self, place: Place) -> ThreadQuery {
        let is_operator = matches!(self.asker, Asker::Operator);
        let bound = |bound: Option<i64>, end: i64| {
            bound.or(is_operator.then_some(end)).map(|micros| at(place.moment(micros)))
        };
        let moment = |micros: Option<i64>| micros.map(|micros| at(place.moment(micros)));
        let mut query = ThreadQuery::first(self.limit)
            .created(bound(self.created.0, 0), bound(self.created.1, 1_000_000))
            .updated(moment(self.updated.0), moment(self.updated.1));
        query.org_id = self.org.map(|number| place.org(number));
        query.user_id = self.user.map(user);
        query.name_contains = self.name.clone().map(|name| name.map_or_else(|name| name, str::to_owned));
        query.metadata = wanted(&self.metadata);
        query
    }

    pub(crate) fn expected(&self, model: &Model) -> Expected<(OrgId, ThreadId)> {
        if matches!(self.name, Some(Err(_))) {
            return Expected::Unknown;
        }
        let is_within = |(from, until): (Option<i64>, Option<i64>), at: i64| {
            from.is_none_or(|from| at >= from) && until.is_none_or(|until| at < until)
        };
        let mut found: Vec<_> = model
            .threads
            .iter()
            .filter(|thread| {
                let has = |number: &usize| {
                    let (path, value) = &filters()[*number];
                    serde_json::Value::Object(thread.metadata.clone()).pointer(path) == Some(value)
                };
                self.asker.sees(thread)
                    && self.org.is_none_or(|org| org == thread.org)
                    && self.user.is_none_or(|user| user == thread.user)
                    && self.name.iter().flatten().all(|part| thread.name.holds(part))
                    && is_within(self.created, thread.at)
                    && is_within(self.updated, thread.updated)
                    && self.metadata.iter().all(has)
            })
            .map(|thread| {
                let (org, id) = (model.place.org(thread.org), model.place.thread(thread.slot));
                ((thread.updated, id, org.clone()), (org, id))
            })
            .collect();
        found.sort();
        Expected::InOrder(found.into_iter().rev().map(|(_, found)| found).collect())
    }
}

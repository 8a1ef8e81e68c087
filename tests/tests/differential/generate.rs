//! Random queries.

use chatkeep_domain::{Order, SearchOrder};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::corpus::{filters, moment, name, role};
use crate::query::{Asker, Filters, Query, Read, Search, Threads};
use crate::typed::typed;
use crate::vocabulary::PLAIN;

fn asker() -> impl Strategy<Value = Asker> {
    prop_oneof![
        2 => (0..2usize, 0..2usize).prop_map(|(org, user)| Asker::User(org, user)),
        5 => (0..2usize).prop_map(Asker::Org),
        3 => Just(Asker::Operator),
    ]
}

fn metadata() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![8 => Just(Vec::new()), 1 => vec(0..filters().len(), 1..3)]
}

fn narrowed() -> impl Strategy<Value = Filters> {
    let rarely = |strategy| prop::option::weighted(0.1, strategy);
    let sender = prop::option::weighted(0.1, 0..2usize);
    (
        prop::option::weighted(0.1, role()),
        sender,
        rarely(moment().boxed()),
        rarely(moment().boxed()),
        metadata(),
    )
        .prop_map(|(role, sender, from, until, metadata)| Filters {
            role,
            sender,
            from,
            until,
            metadata,
        })
}

/// Few, so that there are pages.
fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![10 => 1..6usize, 3 => Just(100usize), 1 => Just(0usize)]
}

/// One of the three numbers that threads have, and one that none has.
fn slot() -> impl Strategy<Value = usize> {
    prop_oneof![12 => 0..3usize, 1 => Just(9usize)]
}

fn search() -> impl Strategy<Value = Search> {
    let order = prop::sample::select(vec![SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance]);
    (typed(), asker(), prop::option::weighted(0.15, slot()), narrowed(), order, limit()).prop_map(
        |(typed, asker, thread, filters, order, limit)| Search {
            typed,
            asker,
            thread,
            filters,
            order,
            limit,
        },
    )
}

fn read() -> impl Strategy<Value = Read> {
    let order = prop::sample::select(vec![Order::OldestFirst, Order::NewestFirst]);
    let place = || prop::option::weighted(0.2, 0..12usize);
    (
        asker(),
        slot(),
        narrowed(),
        order,
        place(),
        place(),
        prop_oneof![3 => Just(0u64), 1 => 0..4u64],
        limit(),
    )
        .prop_map(|(asker, thread, filters, order, after, before, offset, limit)| Read {
            asker,
            thread,
            filters,
            order,
            after,
            before,
            offset,
            limit,
        })
}

fn threads() -> impl Strategy<Value = Threads> {
    let part = prop_oneof![
        2 => prop::sample::select(PLAIN.to_vec()).prop_map(Ok),
        1 => name().prop_map(|name| Err(name.written())),
    ];
    let rarely = || prop::option::weighted(0.2, moment());
    let owner = || prop::option::weighted(0.1, 0..2usize);
    (
        asker(),
        owner(),
        owner(),
        prop::option::of(part),
        (rarely(), rarely()),
        (rarely(), rarely()),
        metadata(),
        limit(),
    )
        .prop_map(|(asker, org, user, name, created, updated, metadata, limit)| Threads {
            asker,
            org,
            user,
            name,
            created,
            updated,
            metadata,
            limit,
        })
}

pub(crate) fn query() -> impl Strategy<Value = Query> {
    prop_oneof![
        16 => search().prop_map(Query::Search),
        2 => read().prop_map(Query::Read),
        2 => threads().prop_map(Query::Threads),
    ]
}

//! Both handles at the same moment.

use chatkeep_domain::{Append, Position, StoreError};

use crate::cases::races::racing::{ROUNDS, race, signed};
use crate::fixture::{Fixture, Talk, Tenant, ids, message};

/// Of two compare-and-appends at one head, one through each handle, one wins and the other is told of it.
pub(crate) async fn one_of_two_handles_wins_a_compare_and_append(fixture: Fixture) {
    let here = fixture.tenant().talk().await;
    let there = here.through(&fixture.other);
    let mut head = Position::ZERO;
    for round in 0..ROUNDS {
        let racer = |talk: &Talk| {
            let (talk, append) = (talk.clone(), Append::new([message("x")]).expect_head(head));
            async move { talk.append(append).await }
        };
        let answers = race(vec![racer(&here), racer(&there)]).await;
        let wins: Vec<_> = answers.iter().flatten().collect();
        assert_eq!(wins.len(), 1, "winners of round {round}");
        head = wins[0].messages[0].position;
        let loser = answers.iter().find_map(|answer| answer.as_ref().err()).expect("a loser");
        assert!(matches!(loser, StoreError::Conflict { .. }), "{loser:?}");
    }
    assert_eq!(here.all().await.len(), ROUNDS);
}

/// Two handles that create a thread of one id at the same moment both get the one thread.
pub(crate) async fn two_handles_create_one_thread(fixture: Fixture) {
    let ada = fixture.tenant();
    for _ in 0..ROUNDS {
        let new = ada.new_thread();
        let racer = |tenant: Tenant| {
            let new = new.clone();
            async move { tenant.create(new).await }
        };
        let created = race(vec![racer(ada.clone()), racer(ada.through(&fixture.other))]).await;
        let [one, other] = created.as_slice() else { panic!("two answers") };
        assert_eq!(one.as_ref().unwrap(), other.as_ref().unwrap());
    }
    assert_eq!(ada.list_ids(&ada.scope).await.len(), ROUNDS);
}

/// Writers on both handles to one thread: every message is there once, each writer's in order.
pub(crate) async fn writers_on_two_handles_lose_and_double_nothing(fixture: Fixture) {
    let here = fixture.tenant().talk().await;
    let there = here.through(&fixture.other);
    let writer = |number: usize| {
        let talk = if number.is_multiple_of(2) { here.clone() } else { there.clone() };
        async move {
            let mut said = Vec::new();
            for turn in 0..10 {
                said.extend(talk.say(signed(number, [turn])).await);
            }
            said
        }
    };
    let said = race((0..6).map(writer).collect()).await;
    let all = ids(&here.all().await);
    assert_eq!(all.len(), 60);
    for of_one in said {
        let places: Vec<_> = of_one.iter().map(|one| all.iter().position(|id| *id == one.id)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    }
}

//! The cases as tests of a store, with the names and options of `cargo test`.

use std::env;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use crate::capability::Capability;
use crate::case::Case;
use crate::cases::{self, declined};
use crate::fixture::Fixture;

/// The variable that says how often each race is run. Without it, once.
const ROUNDS: &str = "CHATKEEP_CONTRACT_ROUNDS";

fn rounds(variable: Option<&str>) -> usize {
    variable
        .map_or(1, |text| text.parse().unwrap_or_else(|_| panic!("{ROUNDS} must be a number, not {text:?}")))
}

type Factory = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Fixture>>> + Send + Sync>;

/// The cases of the contract, run against one store.
#[derive(Clone)]
pub struct Suite {
    name: String,
    factory: Factory,
    declined: Vec<Capability>,
    has_damage: bool,
    ignored: Option<String>,
    more: &'static [Case],
    folders: &'static [&'static str],
}

impl Suite {
    /// All cases, against stores that the factory makes: [`Repo`](crate::Repo)s or [`Fixture`]s.
    ///
    /// The factory is called once for each case, on the runtime that the case then runs on. Each case needs a store value
    /// of its own, with its own connections: one case closes the store that it got. Their storage may be one and the same.
    pub fn new<F, S>(name: impl Into<String>, factory: F) -> Self
    where
        F: AsyncFn() -> S + Clone + Send + Sync + 'static,
        S: Into<Fixture>,
    {
        let factory: Factory = Arc::new(move || {
            let factory = factory.clone();
            Box::pin(async move { factory().await.into() })
        });
        let name = name.into();
        Self {
            name,
            factory,
            declined: Vec::new(),
            has_damage: false,
            ignored: None,
            more: &[],
            folders: &[],
        }
    }

    /// The store does not do this. The cases that need it are ignored; one case that takes their place checks that the
    /// store refuses what it does not do, and changes nothing.
    #[must_use]
    pub fn declining(mut self, capabilities: &[Capability]) -> Self {
        self.declined.extend(capabilities);
        self
    }

    /// The fixtures can [damage](Fixture::with_damage) rows: the cases that need that run too.
    #[must_use]
    pub fn with_damage(self) -> Self {
        Self { has_damage: true, ..self }
    }

    /// These cases too.
    #[must_use]
    pub fn with_cases(self, cases: &'static [Case]) -> Self {
        Self { more: cases, ..self }
    }

    /// Only the cases in these folders, such as `messages::append` or `search`: for a second way to a store that has passed
    /// all cases.
    #[must_use]
    pub fn only(self, folders: &'static [&'static str]) -> Self {
        Self { folders, ..self }
    }

    /// Where this is not so, all cases are shown as ignored, with this reason in their names. `--include-ignored` runs
    /// them all the same.
    #[must_use]
    pub fn ignored_unless(self, is_ready: bool, reason: impl Into<String>) -> Self {
        Self { ignored: (!is_ready).then(|| reason.into()), ..self }
    }

    /// Runs all cases in an ordinary test. Of what the store declines it checks that it is refused.
    ///
    /// A test target with [`main`] shows each case as a test of its own; this is for where there can be none.
    ///
    /// # Panics
    /// When a case fails. Their names are printed.
    pub fn check(&self) {
        // What the store declines is seen to be refused.
        let arguments = Arguments { include_ignored: self.ignored.is_none(), ..Arguments::default() };
        let conclusion = libtest_mimic::run(&arguments, self.trials().collect());
        assert!(conclusion.num_passed > 0, "no case ran");
        assert_eq!(conclusion.num_failed, 0, "cases that failed");
    }

    fn trials(&self) -> impl Iterator<Item = Trial> {
        let listed = cases::all()
            .chain(self.more)
            .filter(|case| self.has_damage || !case.needs.contains(&Capability::CorruptRows))
            .filter(|case| self.has_folder(case));
        let refusals = self.declined.iter().filter_map(|capability| declined::refusal(*capability));
        listed.map(|case| self.trial(case)).chain(refusals.map(|case| self.named(case, case, None)))
    }

    fn has_folder(&self, case: &Case) -> bool {
        let name = case.to_string();
        let is_in = |folder: &&str| name.strip_prefix(*folder).is_some_and(|rest| rest.starts_with("::"));
        self.folders.is_empty() || self.folders.iter().any(is_in)
    }

    /// A case; or, when a test is run although the store declines what it needs, the case of the refusal.
    fn trial(&self, case: &Case) -> Trial {
        let missing = case.needs.iter().find(|capability| self.declined.contains(capability));
        match missing.map(|capability| (capability, declined::refusal(*capability))) {
            Some((capability, Some(refusal))) => {
                self.named(case, refusal, Some(format!("declines {capability}")))
            }
            _ => self.named(case, case, None),
        }
    }

    fn named(&self, shown: &Case, run: &Case, reason: Option<String>) -> Trial {
        let reason = self.ignored.clone().or(reason);
        let mut name = format!("{}::{shown}", self.name);
        if let Some(reason) = &reason {
            name = format!("{name} ({reason})");
        }
        let (run, factory) = (*run, Arc::clone(&self.factory));
        let rounds = if run.is_race() { rounds(env::var(ROUNDS).ok().as_deref()) } else { 1 };
        let check = move || {
            (0..rounds).for_each(|_| run.check(&*factory));
            Ok(())
        };
        Trial::test(name, check).with_ignored_flag(reason.is_some())
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Suite");
        debug.field("name", &self.name).field("declined", &self.declined);
        debug.field("has_damage", &self.has_damage).field("ignored", &self.ignored).finish_non_exhaustive()
    }
}

/// The `main` of a test target with `harness = false`: runs the suites with the options of `cargo test`.
pub fn main(suites: impl IntoIterator<Item = Suite>) -> ExitCode {
    let trials = suites.into_iter().flat_map(|suite| suite.trials().collect::<Vec<_>>()).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite() -> Suite {
        Suite::new("store", async || -> Fixture { unreachable!("no case is run") })
    }

    fn shown(suite: &Suite) -> Vec<(String, bool)> {
        suite.trials().map(|trial| (trial.name().to_owned(), trial.has_ignored_flag())).collect()
    }

    fn has(suite: &Suite, name: &str, is_ignored: bool) -> bool {
        shown(suite).contains(&(name.to_owned(), is_ignored))
    }

    #[test]
    fn a_case_is_named_after_its_suite_and_its_file() {
        assert!(has(&suite(), "store::messages::append::a_batch_keeps_its_order", false));
    }

    #[test]
    fn what_is_declined_is_ignored_and_its_refusal_is_checked() {
        let declining = suite().declining(&[Capability::Search]);
        assert!(has(&declining, "store::search::words::words_are_all_wanted (declines Search)", true));
        assert!(has(&declining, "store::declined::search::searching_is_declined", false));
        assert!(has(&declining, "store::messages::append::a_batch_keeps_its_order", false));
        assert_eq!(shown(&declining).len(), shown(&suite()).len() + 1);
    }

    #[test]
    fn without_damage_its_cases_are_left_out() {
        let of_damage = cases::all().filter(|case| case.needs.contains(&Capability::CorruptRows)).count();
        assert_eq!(shown(&suite()).len() + of_damage, cases::all().count());
        assert_eq!(shown(&suite().with_damage()).len(), cases::all().count());
    }

    #[test]
    fn a_suite_that_lacks_its_server_says_so_in_every_name() {
        let lacking = shown(&suite().ignored_unless(false, "needs a server"));
        assert!(lacking.iter().all(|(name, ignored)| *ignored && name.ends_with(" (needs a server)")));
        assert!(shown(&suite().ignored_unless(true, "needs a server")).iter().all(|(_, ignored)| !ignored));
    }

    #[test]
    fn races_alone_are_repeated() {
        let races = cases::all().filter(|case| case.is_race()).map(|case| case.group);
        let mut races: Vec<_> = races.collect();
        races.dedup();
        races.sort_unstable();
        let expected = [
            "branches::races",
            "handles::races",
            "races::append",
            "races::append_each",
            "races::changes",
            "search::races",
            "versions::races",
        ];
        assert_eq!(races, expected);
        assert_eq!((rounds(None), rounds(Some("50"))), (1, 50));
    }
}

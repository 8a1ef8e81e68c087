//! The cases about rows that cannot be decoded, for stores whose rows a test can damage.

/// Hands their list to another macro, as `__chatkeep_cases` does.
#[doc(hidden)]
#[macro_export]
macro_rules! __chatkeep_corrupt_row_cases {
    (($($macro:tt)+) $args:tt) => {
        $($macro)+! { $args
            corrupt_rows {
                a_corrupt_row_is_named_and_not_shown,
                a_page_ends_ahead_of_a_corrupt_message,
                a_corrupt_message_behind_a_page_leaves_it_alone,
                a_corrupt_message_is_not_left_out,
                each_corrupt_message_is_reported_once,
                filtered_pages_end_ahead_of_a_corrupt_message,
                a_page_ends_ahead_of_a_corrupt_thread,
                a_corrupt_thread_can_be_used_and_deleted,
                a_corrupt_message_can_be_deleted,
                a_thread_with_a_corrupt_message_goes_on,
                a_page_of_hits_ends_ahead_of_a_corrupt_message,
                a_corrupt_message_is_ranked_last,
                an_integer_over_64_bits_is_corrupt,
                an_integer_over_64_bits_is_corrupt_everywhere,
            }
        }
    };
}

/// Makes a test of every case about rows that cannot be decoded.
///
/// It takes the path of an `async fn() -> Damageable` that makes the store and what [damages](crate::damage::Damage) its
/// rows. The rest is as for [`contract!`](crate::contract).
#[macro_export]
macro_rules! contract_of_corrupt_rows {
    ($(#[$attribute:meta])* $make:path) => {
        $crate::__chatkeep_corrupt_row_cases! { ($crate::__chatkeep_tests) ([$(#[$attribute])*] $make) }
    };
}

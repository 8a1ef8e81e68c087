/// Fails unless the call was refused with this error.
///
/// ```
/// use chatkeep_contract::assert_refused;
/// use chatkeep_domain::{InvalidArgument, StoreError};
///
/// let refused: Result<(), StoreError> = Err(InvalidArgument::new("limit", "at most 1000", "1001").into());
/// assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "limit");
/// ```
#[macro_export]
macro_rules! assert_refused {
    ($result:expr, $pattern:pat $(if $guard:expr)? $(, $($context:tt)+)?) => {
        match $result {
            Err($pattern) $(if $guard)? => {}
            other => panic!(
                "expected {}, got {other:?} {}",
                stringify!($pattern $(if $guard)?),
                String::new() $(+ &format!($($context)+))?
            ),
        }
    };
}

/// A record with other values in some of its fields: records of the domain grow, so that no literal names them all.
///
/// ```
/// use chatkeep_contract::with;
/// use chatkeep_domain::{MessageQuery, Order, Role};
///
/// let query = with!(MessageQuery::first(5), order: Order::NewestFirst, filter.roles: vec![Role::User]);
/// assert_eq!((query.limit, query.order), (5, Order::NewestFirst));
/// ```
#[macro_export]
macro_rules! with {
    ($base:expr, $($field:ident $(. $inner:ident)* $(: $value:expr)?),+ $(,)?) => {{
        let mut record = $base;
        $($crate::with!(@set record, ($field $(. $inner)*), $field $(: $value)?);)+
        record
    }};
    (@set $record:ident, ($($path:tt)+), $field:ident : $value:expr) => { $record.$($path)+ = $value };
    (@set $record:ident, ($($path:tt)+), $field:ident) => { $record.$($path)+ = $field };
}

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

//! What a plain `cargo test` leaves out, shown in its list: these suites need the feature `dynamodb` and a server.
#![cfg(not(feature = "dynamodb"))]

macro_rules! left_out {
    ($($suite:ident)*) => {$(
        #[test]
        #[ignore = "needs the feature dynamodb, and DynamoDB Local: run ./scripts/test"]
        fn $suite() {
            panic!("{} is not in this build: run ./scripts/test", stringify!($suite));
        }
    )*};
}

left_out! {
    conformance
    dynamodb_store
    flows
    table
}

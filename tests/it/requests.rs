//! Each case of each pattern makes the requests that its card declares, and no others.

use threadline::card::Caller;
use threadline_testkit::scenario::{Recorder, Scale, World, mismatch};

use crate::scenarios::{Staged, cases};

#[tokio::test]
async fn recorded_requests_equal_those_of_the_card() {
    let mut wrong = Vec::new();
    for (card, case, scenario) in cases() {
        // The projector and the audit make several requests at once.
        let in_order = !matches!(card.caller, Caller::Projector | Caller::Operator);
        for members in [2, 3, 50] {
            let scale = Scale { members, message_kb: 1 };
            let staged = Staged::new(&scenario, scale).await;
            let recorder = Recorder::new(staged.store.clone());
            let session = staged.stage.enter(recorder.clone(), World::CALLER).await.unwrap();
            recorder.take();
            staged.stage.call(&session).await.unwrap();
            let expected = scenario.requests(case, scale);
            wrong.extend(mismatch(&expected, &recorder.take(), in_order).map(|what| format!("{scenario:?}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

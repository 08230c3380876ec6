//! Handles that version 0.1 accepted and `Handle::new` refuses.

use threadline::{ErrorKind, Handle, NewUser, UserChange};

use crate::support::App;

#[tokio::test]
async fn a_lookup_handle_cannot_be_claimed() {
    let app = App::new();
    let andrew = app.user("andrew").await;
    for text in ["Ωmega", "tanaka田中", "..", "ㅤ"] {
        let handle = || Handle::for_look_up(text).unwrap();
        let created = app.chat.create_user(NewUser::new(handle(), "Andrew").unwrap()).await.unwrap_err();
        assert_eq!((created.kind(), created.entity()), (ErrorKind::Invalid, Some("Handle")), "{text}");
        let changed = app.chat.update_user(&andrew, UserChange::new().handle(handle()).unwrap()).await.unwrap_err();
        assert_eq!((changed.kind(), changed.entity()), (ErrorKind::Invalid, Some("Handle")), "{text}");
        assert_eq!(app.chat.user_by_handle(&handle()).await.unwrap(), None, "{text}");
    }
}

#[test]
fn a_handle_that_folds_to_over_200_bytes_is_unique_as_written() {
    // The ligature folds to 33 bytes.
    for (text, bytes) in [("ﷺ".repeat(6), 198), ("ﷺ".repeat(6) + "AA", 200), ("ﷺ".repeat(6) + "AAA", 21)] {
        let folded = Handle::for_look_up(&*text).unwrap().folded();
        assert_eq!(folded.as_str().len(), bytes, "{text}");
        assert!(!folded.as_str().contains('A'));
    }
}

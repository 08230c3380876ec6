//! The rules by which a projector updates an inbox entry: from the newest message, and from the users' names.

use super::Membership;
use crate::model::{Message, MessagePosition, Profile, User};
use crate::text::Preview;
use crate::time::Timestamp;

impl Membership {
    /// The attributes that a projector updates: all that follow from the newest message and from the users.
    pub(crate) const PROJECTED: [&'static str; 11] = [
        Self::LAST_MESSAGE,
        Self::LAST_SENDER,
        Self::LAST_REVISION,
        Self::LAST_EXPIRES_AT,
        Self::PREVIEW,
        Self::NAMES.handle,
        Self::NAMES.display_name,
        Self::NAMES.version,
        Self::OTHER.handle,
        Self::OTHER.display_name,
        Self::OTHER.version,
    ];

    /// The largest size of an entry without the names, the preview and the expiry.
    ///
    /// It is the size in a direct conversation. A group's title takes less than the attributes of the other member.
    const FIXED_BYTES: usize = 743;
    /// The size of the newest message's expiry: the attribute's name, and a number of up to 12 digits.
    const EXPIRY_BYTES: usize = Self::LAST_EXPIRES_AT.len() + 7;
    /// The largest size that is written for one capacity unit.
    const MAX_BYTES: usize = 1024;

    /// Returns the entry with this as its newest message, or with none.
    pub(crate) fn showing<'a>(self, newest: impl Into<Option<&'a Message>>) -> Self {
        let newest = newest.into();
        Self {
            last_message: newest.map(Message::position),
            last_sender_id: newest.map(Message::sender_id),
            last_revision: newest.map(Message::revision),
            last_expires_at: newest.and_then(expiry_of),
            preview: newest.and_then(|newest| self.preview_of(newest)),
            ..self
        }
    }

    /// Returns the entry with this message, or `None` if it already shows this revision or something newer.
    pub(crate) fn moved_to(&self, message: &Message) -> Option<Self> {
        (self.shown() < Some((message.position(), message.revision()))).then(|| self.clone().showing(message))
    }

    /// Returns the position and the revision of the message that the entry shows.
    pub(crate) fn shown(&self) -> Option<(MessagePosition, u32)> {
        self.last_message.map(|shown| (shown, self.last_revision.unwrap_or(0)))
    }

    /// Returns `true` if the entry may hold older names of the user than these.
    pub(crate) fn has_older_names_of(&self, user: &User) -> bool {
        // Names without a version may be of any age.
        self.versions_of(user).any(|version| version.is_none_or(|version| version < user.version()))
    }

    /// Returns `true` if the entry holds an older version of the user's names than these.
    pub(crate) fn has_older_version_of(&self, user: &User) -> bool {
        self.versions_of(user).flatten().any(|version| version < user.version())
    }

    /// Returns the versions of the user's names that the entry holds, as the member and as the other member.
    fn versions_of(&self, user: &User) -> impl Iterator<Item = Option<u32>> {
        self.names_of(user).map(Profile::version)
    }

    /// Returns the user's names that the entry holds, as the member and as the other member.
    fn names_of(&self, user: &User) -> impl Iterator<Item = &Profile> {
        let id = user.id();
        std::iter::once(&self.profile).chain(&self.other).filter(move |profile| profile.id() == id)
    }

    /// Returns `true` if the entry holds other names of the user than these.
    pub(crate) fn has_other_names_of(&self, user: &User) -> bool {
        self.names_of(user).any(|profile| *profile != user.profile())
    }

    /// Returns the entry with the user's names. Longer names shorten the preview.
    pub(crate) fn renamed(&self, user: &User) -> Self {
        let mut entry = self.clone();
        for profile in std::iter::once(&mut entry.profile).chain(&mut entry.other) {
            if profile.id() == user.id() {
                *profile = user.profile();
            }
        }
        let room = entry.preview_room(entry.last_expires_at);
        entry.preview = entry.preview.as_ref().map(|preview| Preview::truncate(preview.as_str(), room));
        entry
    }

    /// Returns `true` if this entry may fit a longer preview than `before`, which is the same entry with other names.
    pub(crate) fn may_show_more_than(&self, before: &Self) -> bool {
        let room = |entry: &Self| entry.preview_room(before.last_expires_at);
        let is_full = before.preview.as_ref().is_some_and(|preview| preview.may_be_truncated_at(room(before)));
        is_full && room(self) > room(before)
    }

    /// Returns the entry with its read marker at this position.
    pub(crate) fn read_up_to(self, position: MessagePosition) -> Self {
        Self { last_read: Some(position), ..self }
    }

    /// Returns the beginning of the message that fits into the entry, or `None` if the message is deleted.
    ///
    /// It depends on the message and the names only, not on the order in which they arrived.
    fn preview_of(&self, message: &Message) -> Option<Preview> {
        message.body().map(|body| Preview::truncate(body.as_str(), self.preview_room(expiry_of(message))))
    }

    /// Returns the number of bytes that the names and the message's expiry leave for the preview.
    fn preview_room(&self, expiry: Option<i64>) -> usize {
        let names = |profile: &Profile| profile.handle().as_str().len() + profile.display_name().as_str().len();
        let title = self.title.as_ref().map_or(0, |title| title.as_str().len());
        let names = names(&self.profile) + title + self.other.as_ref().map_or(0, names);
        let expiry = expiry.map_or(0, |_| Self::EXPIRY_BYTES);
        Self::MAX_BYTES.saturating_sub(Self::FIXED_BYTES + names + expiry)
    }

    /// Returns `true` if the entry shows this revision of the message.
    pub(crate) fn shows_revision_of(&self, message: &Message) -> bool {
        self.last_message == Some(message.position()) && self.last_revision.unwrap_or(0) == message.revision()
    }

    /// Returns `true` if the entry shows this revision of the message with another expiry.
    pub(crate) fn shows_other_expiry_of(&self, message: &Message) -> bool {
        self.shows_revision_of(message) && self.last_expires_at != expiry_of(message)
    }

    /// Returns `true` if the entry shows exactly this newest message, or none if there is none.
    pub(crate) fn shows(&self, newest: Option<&Message>) -> bool {
        self.last_message == newest.map(Message::position)
            && self.last_sender_id == newest.map(Message::sender_id)
            && self.last_revision.unwrap_or(0) == newest.map_or(0, Message::revision)
            && self.last_expires_at == newest.and_then(expiry_of)
            && self.preview == newest.and_then(|newest| self.preview_of(newest))
    }

    /// Returns `true` if the message that the entry shows has expired.
    pub(crate) fn shows_expired(&self, now: Timestamp) -> bool {
        self.last_expires_at.is_some_and(|seconds| seconds <= now.unix_seconds())
    }
}

fn expiry_of(message: &Message) -> Option<i64> {
    message.expires_at().map(Timestamp::unix_seconds)
}

//! The calls, each with what it answers, as text.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use threadline::stream::{AuditPage, Auditor, Finding, Projector, RecordOutcome, StreamRecord};
use threadline::{
    DisplayName, Draft, Entity, Handle, IdentitySubject, ImportedDirect, Member, MessageBody, NewGroup, NewUser, Page,
    Profile, Result, Thread, User, UserChange,
};

use super::world::World;
use crate::support::{id, time};

const ID: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";

/// All of the entity's attributes.
fn told(entity: &impl Entity) -> String {
    let item = entity.to_item().unwrap();
    format!("{:?}", item.iter().collect::<BTreeMap<_, _>>())
}

fn told_thread(thread: Thread) -> String {
    told(thread.membership())
}

fn told_page(page: Page<impl Entity>) -> String {
    let items: Vec<_> = page.items.iter().map(told).collect();
    format!("{items:?} {:?}", page.next.is_some())
}

fn told_profile(profile: Option<Profile>) -> String {
    let profile = profile.unwrap();
    format!("{} {} {}", profile.id(), profile.handle().as_str(), profile.display_name().as_str())
}

fn told_members(members: Vec<Member>) -> String {
    let told = |member: Member| format!("{} {:?}", told_profile(Some(member.profile)), member.last_read);
    members.into_iter().map(told).collect()
}

fn draft(text: &str) -> Draft {
    let body = MessageBody::new(text).unwrap();
    Draft::new(body).with_id(id(ID)).sent_at(time("2026-11-22T12:00:03Z"))
}

fn vir() -> NewUser {
    NewUser::new("cotto", "Vir Cotto").unwrap().with_identity(IdentitySubject::new("VIR").unwrap())
}

pub(super) async fn users_create(world: &World) -> Result<String> {
    world.chat.create_user(vir().with_id(id(ID))).await.map(|user| told(&user))
}

pub(super) async fn users_create_without_an_id(world: &World) -> Result<String> {
    world.chat.create_user(vir()).await.map(|user| told(&user))
}

pub(super) async fn users_get(world: &World) -> Result<String> {
    world.chat.user(world.andrew.id()).await.map(|user: Option<User>| told(&user.unwrap()))
}

pub(super) async fn users_by_handle(world: &World) -> Result<String> {
    world.chat.user_by_handle(world.andrew.handle()).await.map(told_profile)
}

pub(super) async fn users_by_identity(world: &World) -> Result<String> {
    world.chat.user_by_identity(world.andrew.identity().unwrap()).await.map(told_profile)
}

pub(super) async fn users_update(world: &World) -> Result<String> {
    let change = UserChange::new().handle(Handle::new("andy")?).display_name(DisplayName::new("Andy")?);
    world.chat.update_user(&world.andrew, change).await.map(|user| told(&user))
}

pub(super) async fn users_update_to_the_same_names(world: &World) -> Result<String> {
    world.chat.update_user(&world.andrew, UserChange::new()).await.map(|user| told(&user))
}

pub(super) async fn groups_start_direct(world: &World) -> Result<String> {
    world.chat.start_direct(&world.andrew, &world.londo, draft("opa")).await.map(told_thread)
}

pub(super) async fn groups_start_direct_without_an_id(world: &World) -> Result<String> {
    world.chat.start_direct(&world.andrew, &world.londo, "opa").await.map(told_thread)
}

pub(super) async fn groups_start_direct_where_there_is_one(world: &World) -> Result<String> {
    world.chat.start_direct(&world.andrew, &world.bayko, draft("opa")).await.map(told_thread)
}

pub(super) async fn groups_create(world: &World) -> Result<String> {
    let new = NewGroup::new("Crusade", &world.andrew)?.with_member(&world.londo).with_id(id(ID));
    world.chat.create_group(new, draft("opa")).await.map(told_thread)
}

pub(super) async fn groups_create_without_an_id(world: &World) -> Result<String> {
    let new = NewGroup::new("Crusade", &world.andrew)?.with_member(&world.londo);
    world.chat.create_group(new, "opa").await.map(told_thread)
}

pub(super) async fn groups_import_direct(world: &World) -> Result<String> {
    let started = time("2023-03-22T14:36:25Z");
    let import = ImportedDirect::new(id(ID), &world.andrew, &world.londo, started);
    world.chat.import_direct(import).await.map(told_thread)
}

pub(super) async fn groups_open(world: &World) -> Result<String> {
    world.chat.open(world.andrew.id(), world.group.group_id()).await.map(told_thread)
}

pub(super) async fn groups_get(world: &World) -> Result<String> {
    world.group.group().await.map(|group| told(&group))
}

pub(super) async fn groups_members(world: &World) -> Result<String> {
    world.group.members().await.map(|page| told_members(page.items))
}

pub(super) async fn groups_add_member(world: &World) -> Result<String> {
    world.group.add_member(&world.londo).await.map(|()| String::new())
}

pub(super) async fn groups_remove_member(world: &World) -> Result<String> {
    world.group.remove_member(world.bayko.id()).await.map(|()| String::new())
}

pub(super) async fn groups_leave(world: &World) -> Result<String> {
    world.group.remove_member(world.andrew.id()).await.map(|()| String::new())
}

pub(super) async fn messages_send(world: &World) -> Result<String> {
    world.group.send_draft(draft("opa")).await.map(|message| told(&message))
}

pub(super) async fn messages_send_without_an_id(world: &World) -> Result<String> {
    world.group.send_draft("opa").await.map(|message| told(&message))
}

pub(super) async fn messages_get(world: &World) -> Result<String> {
    world.group.message(&world.last).await.map(|message| told(&message.unwrap()))
}

pub(super) async fn messages_page(world: &World) -> Result<String> {
    world.group.messages().limit(1).fetch().await.map(told_page)
}

pub(super) async fn messages_page_around(world: &World) -> Result<String> {
    world.group.messages().around(&world.last).fetch().await.map(told_page)
}

pub(super) async fn messages_edit(world: &World) -> Result<String> {
    world.group.edit(&world.last, "epa").await.map(|message| told(&message))
}

pub(super) async fn messages_delete(world: &World) -> Result<String> {
    world.group.delete(&world.last).await.map(|message| told(&message))
}

pub(super) async fn inbox_page(world: &World) -> Result<String> {
    world.chat.inbox(world.andrew.id()).limit(2).fetch().await.map(told_page)
}

pub(super) async fn inbox_mark_read(world: &World) -> Result<String> {
    let mut thread = world.group.clone();
    thread.mark_read(&world.last).await.map(|()| told_thread(thread))
}

pub(super) async fn inbox_unread(world: &World) -> Result<String> {
    world.group.unread().await.map(|unread| format!("{unread:?}"))
}

pub(super) async fn projector_advance(world: &World) -> Result<String> {
    Projector::new(world.store.clone()).advance(&world.last).await.map(|()| String::new())
}

pub(super) async fn projector_rename(world: &World) -> Result<String> {
    Projector::new(world.store.clone()).rename(&world.bayko).await.map(|()| String::new())
}

pub(super) async fn projector_refresh(world: &World) -> Result<String> {
    project(world, &world.removed).await
}

pub(super) async fn projector_join(world: &World) -> Result<String> {
    project(world, &world.joined).await
}

async fn project(world: &World, record: &StreamRecord) -> Result<String> {
    let projection = Projector::new(world.store.clone()).project(std::slice::from_ref(record)).await;
    assert_eq!(projection.lowest_failed.is_some(), projection.has_failed());
    match projection.outcomes.into_iter().next().unwrap() {
        RecordOutcome::Failed(error) => Err(Arc::into_inner(error).unwrap()),
        outcome => Ok(format!("{outcome:?}")),
    }
}

/// What a call answers.
pub(super) trait Answer: Debug + PartialEq + Sized {
    /// How many items it has gone through, where it ends before the last.
    fn ends_behind(&self) -> Option<usize> {
        None
    }

    /// Goes on to the end from there.
    async fn with_the_rest(self, _: &World) -> Result<Self> {
        Ok(self)
    }
}

impl Answer for String {}

/// A page of an audit. Two are the same that leave the same unmended and, where nothing is to be mended, went through as many items:
/// a claim that is put may come before what is still to be read or behind it.
#[derive(Debug)]
pub(super) struct Audited {
    page: AuditPage,
    is_rebuild: bool,
}

impl Audited {
    fn told(&self) -> (Vec<&Finding>, usize) {
        let unmended = self.page.findings.iter().filter(|finding| !finding.mended).collect();
        (unmended, if self.is_rebuild { 0 } else { self.page.items })
    }
}

impl PartialEq for Audited {
    fn eq(&self, other: &Self) -> bool {
        self.told() == other.told()
    }
}

impl Answer for Audited {
    fn ends_behind(&self) -> Option<usize> {
        self.page.next.as_ref().map(|_| self.page.items)
    }

    async fn with_the_rest(mut self, world: &World) -> Result<Self> {
        let auditor = Auditor::new(world.store.clone());
        while let Some(next) = self.page.next.take() {
            let page =
                if self.is_rebuild { auditor.rebuild(Some(&next)).await? } else { auditor.check(Some(&next)).await? };
            self.page.findings.extend(page.findings);
            self.page.items += page.items;
            self.page.next = page.next;
        }
        Ok(self)
    }
}

pub(super) async fn audit_check(world: &World) -> Result<Audited> {
    let page = Auditor::new(world.store.clone()).check(None).await?;
    Ok(Audited { page, is_rebuild: false })
}

pub(super) async fn audit_rebuild(world: &World) -> Result<Audited> {
    let page = Auditor::new(world.store.clone()).rebuild(None).await?;
    Ok(Audited { page, is_rebuild: true })
}

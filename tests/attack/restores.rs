//! Restores by an administrator of a tenant who tries to gain more than the tenant.

mod acme;
mod bounds;
mod honest;
mod obstacles;
mod races;
mod records;

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("a_record_that_the_api_would_not_write_is_refused_with_its_reason", records::refused),
    (
        "an_administrator_of_the_first_tenant_neither_makes_nor_changes_a_super_administrator",
        records::promoted,
    ),
    ("nobody_comes_back_who_can_log_in_though_deleted", records::unlocked),
    ("nobody_is_purged_sooner_than_after_a_deletion", records::retention),
    ("an_honest_backup_restores_all_of_a_tenant", honest::everything),
    ("what_operators_have_added_stays_and_is_not_restored", honest::operators),
    ("a_promotion_during_a_restore_wins", races::promotions),
    ("a_restore_ends_when_its_tenant_loses_a_domain", races::domains),
    ("no_upload_costs_much_memory", bounds::uploads_cost_little),
    ("an_upload_that_is_too_large_or_finds_no_room_is_refused", bounds::room),
    ("a_tenant_has_one_restore_at_a_time", bounds::turns),
    ("work_ends_when_the_client_goes_before_anything_is_written", bounds::abandoned),
    ("a_group_with_a_foreign_entry_below_ends_its_deletion_with_a_reason", obstacles::group),
    ("a_purge_goes_on_past_entries_that_it_cannot_remove", obstacles::purge),
];

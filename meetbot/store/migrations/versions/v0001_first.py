"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "accounts",
        sa.Column("person_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit_path", sa.Text(), nullable=False),
        sa.Column("google_id", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("guest_address", sa.Text(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_key", name=op.f("pk_accounts")),
    )
    op.create_index(op.f("ix_accounts_kind"), "accounts", ["kind"], unique=False)
    op.create_index(op.f("ix_accounts_seen_at"), "accounts", ["seen_at"], unique=False)
    op.create_table(
        "calendars",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("window_start_at", sa.BigInteger(), nullable=True),
        sa.Column("window_end_at", sa.BigInteger(), nullable=True),
        sa.Column("synced_at", sa.BigInteger(), nullable=True),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_calendars")),
    )
    op.create_table(
        "conferences",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=True),
        sa.Column("space", sa.Text(), nullable=True),
        sa.Column("organizer", sa.Text(), nullable=True),
        sa.Column("calendar_event_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_conferences")),
    )
    op.create_index(
        op.f("ix_conferences_code_start_at"), "conferences", ["code", "start_at"], unique=False
    )
    op.create_index(op.f("ix_conferences_start_at"), "conferences", ["start_at"], unique=False)
    op.create_table(
        "flags",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("flag", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flags")),
    )
    op.create_index(op.f("ix_flags_occurrence"), "flags", ["occurrence"], unique=False)
    op.create_index(op.f("ix_flags_opened_at"), "flags", ["opened_at"], unique=False)
    op.create_index(op.f("ix_flags_rule"), "flags", ["rule"], unique=False)
    op.create_index(op.f("ix_flags_status"), "flags", ["status"], unique=False)
    op.create_table(
        "groups",
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address_key", name=op.f("pk_groups")),
    )
    op.create_table(
        "learned_addresses",
        sa.Column("id_key", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id_key", name=op.f("pk_learned_addresses")),
    )
    op.create_table(
        "meetings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key_text", sa.Text(), nullable=False),
        sa.Column("ical_uid", sa.Text(), nullable=True),
        sa.Column("original_start_at", sa.BigInteger(), nullable=False),
        sa.Column("meeting_code", sa.Text(), nullable=True),
        sa.Column("is_adhoc", sa.Boolean(), nullable=False),
        sa.Column("is_recurring", sa.Boolean(), nullable=False),
        sa.Column("is_cancelled", sa.Boolean(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("disclosure", sa.Text(), nullable=True),
        sa.Column("fingerprints", sa.Text(), nullable=False),
        sa.Column("undecided", sa.Text(), nullable=False),
        sa.Column("is_undecided", sa.Boolean(), nullable=False),
        sa.Column("attendance_read_at", sa.BigInteger(), nullable=True),
        sa.Column("attendance_problem", sa.Text(), nullable=False),
        sa.Column("attendance_final", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")),
        sa.UniqueConstraint("key_text", name=op.f("uq_meetings_key_text")),
    )
    op.create_index(op.f("ix_meetings_due_at"), "meetings", ["due_at"], unique=False)
    op.create_index(op.f("ix_meetings_end_at"), "meetings", ["end_at"], unique=False)
    op.create_index(op.f("ix_meetings_ical_uid"), "meetings", ["ical_uid"], unique=False)
    op.create_index(
        op.f("ix_meetings_meeting_code_start_at"),
        "meetings",
        ["meeting_code", "start_at"],
        unique=False,
    )
    op.create_index(op.f("ix_meetings_start_at"), "meetings", ["start_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=True),
        sa.Column("thread", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("inflight_since", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_occurrence"), "outbox", ["occurrence"], unique=False)
    op.create_index(op.f("ix_outbox_state_due_at"), "outbox", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_outbox_thread"), "outbox", ["thread"], unique=False)
    op.create_table(
        "registry_rows",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.Column("known_from", sa.BigInteger(), nullable=False),
        sa.Column("known_to", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_rows")),
    )
    op.create_index(op.f("ix_registry_rows_known_to"), "registry_rows", ["known_to"], unique=False)
    op.create_table(
        "reminders",
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("occurrence", "lead", "start_at", name=op.f("pk_reminders")),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settings")),
    )
    op.create_table(
        "sources",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_sources")),
    )
    op.create_table(
        "account_addresses",
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("person_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_key"],
            ["accounts.person_key"],
            name=op.f("fk_account_addresses_person_key"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("address_key", name=op.f("pk_account_addresses")),
    )
    op.create_index(
        op.f("ix_account_addresses_person_key"), "account_addresses", ["person_key"], unique=False
    )
    op.create_table(
        "copies",
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("meeting_id", sa.BigInteger(), nullable=False),
        sa.Column("recurring_event_id", sa.Text(), nullable=True),
        sa.Column("original_start_at", sa.BigInteger(), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("is_cancelled", sa.Boolean(), nullable=False),
        sa.Column("copy", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meetings.id"], name=op.f("fk_copies_meeting_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("calendar", "event_id", name=op.f("pk_copies")),
    )
    op.create_index(op.f("ix_copies_meeting_id"), "copies", ["meeting_id"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("flag_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["flags.id"], name=op.f("fk_decisions_flag_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(op.f("ix_decisions_flag_id"), "decisions", ["flag_id"], unique=False)
    op.create_table(
        "flag_history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("flag_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("flag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["flag_id"], ["flags.id"], name=op.f("fk_flag_history_flag_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_history")),
    )
    op.create_index(op.f("ix_flag_history_flag_id"), "flag_history", ["flag_id"], unique=False)
    op.create_table(
        "meeting_guests",
        sa.Column("meeting_id", sa.BigInteger(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["meetings.id"],
            name=op.f("fk_meeting_guests_meeting_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("meeting_id", "address_key", name=op.f("pk_meeting_guests")),
    )
    op.create_index(
        op.f("ix_meeting_guests_address_key"), "meeting_guests", ["address_key"], unique=False
    )
    op.create_table(
        "visits",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("conference", sa.Text(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=True),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=True),
        sa.Column("is_hull", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conference"],
            ["conferences.name"],
            name=op.f("fk_visits_conference"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source", "key", name=op.f("pk_visits")),
    )
    op.create_index(op.f("ix_visits_conference"), "visits", ["conference"], unique=False)

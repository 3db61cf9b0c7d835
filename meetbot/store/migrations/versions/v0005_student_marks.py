"""Marks by which students are found in texts, and uses of exemptions."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables; every calendar is read in full again, for titles were not read before."""
    op.create_table(
        "student_marks",
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("person_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_key"],
            ["accounts.person_key"],
            name=op.f("fk_student_marks_person_key"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("mark", "person_key", name=op.f("pk_student_marks")),
    )
    op.create_index(op.f("ix_student_marks_person_key"), "student_marks", ["person_key"])
    op.create_table(
        "exemption_uses",
        sa.Column("exemption", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("exemption", "occurrence", name=op.f("pk_exemption_uses")),
    )
    op.create_index(op.f("ix_exemption_uses_used_at"), "exemption_uses", ["used_at"])
    op.add_column("meetings", sa.Column("text_disclosure", sa.Text(), nullable=True))
    op.execute("UPDATE calendars SET token = NULL")

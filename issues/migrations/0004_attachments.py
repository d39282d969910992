import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import tracker.clock
import tracker.ids


class Migration(migrations.Migration):
    """Files on issues."""

    dependencies = [
        ("issues", "0003_search_index"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.UUIDField(default=tracker.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("filename", models.CharField(max_length=200)),
                ("size_bytes", models.BigIntegerField()),
                ("content_type", models.CharField(max_length=100)),
                ("sha256", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[("ready", "Ready"), ("pending", "Pending"), ("infected", "Infected")],
                        default="ready",
                        max_length=10,
                    ),
                ),
                ("key", models.CharField(max_length=100, unique=True)),
                ("created_at", models.DateTimeField(default=tracker.clock.now)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attachments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attachments", to="issues.issue"
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
                "permissions": [
                    ("attach_file", "Attach files where one sees the issue"),
                    ("change_own_attachment", "Rename and delete own attachments"),
                    ("change_any_attachment", "Rename and delete any attachment"),
                ],
                "indexes": [models.Index(fields=["issue", "created_at", "id"], name="attachment_issue")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["ready", "pending", "infected"])),
                        name="attachment_state_known",
                    ),
                    models.CheckConstraint(condition=models.Q(("size_bytes__gte", 0)), name="attachment_size_whole"),
                ],
            },
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models

import tracker.clock
import tracker.ids


class Migration(migrations.Migration):
    """Thumbnails of attached images, and the work of making them."""

    dependencies = [("issues", "0004_attachments")]

    operations = [
        migrations.AddField(
            model_name="attachment",
            name="thumbnail_key",
            field=models.CharField(blank=True, default="", max_length=100),
        ),
        migrations.AddIndex(
            model_name="attachment",
            index=models.Index(fields=["thumbnail_key"], name="attachment_thumbnail"),
        ),
        migrations.CreateModel(
            name="Thumbnail",
            fields=[
                (
                    "id",
                    models.UUIDField(default=tracker.ids.new_id, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("attempts", models.SmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(default=tracker.clock.now)),
                ("lease_id", models.UUIDField(editable=False, null=True)),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                ("last_error", models.CharField(blank=True, default="", max_length=500)),
                ("created_at", models.DateTimeField(default=tracker.clock.now)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "attachment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="thumbnail",
                        to="issues.attachment",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=["next_try_at"],
                        name="thumbnail_open",
                    )
                ],
            },
        ),
    ]

from django.db import migrations, models

import tracker.clock
import tracker.ids


class Migration(migrations.Migration):
    """The link by which a new installation gets its first people."""

    dependencies = [("accounts", "0002_user_sign_in_stamp")]

    operations = [
        migrations.CreateModel(
            name="SetupLink",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tracker.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("filling", "sample data is being filled in"),
                            ("used", "Used"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("error", models.CharField(blank=True, default="", max_length=300)),
                ("created_at", models.DateTimeField(default=tracker.clock.now)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "filling", "used"])),
                        name="setup_state_known",
                    )
                ],
            },
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    """The picture of an account."""

    dependencies = [("accounts", "0003_setup_link")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="avatar",
            field=models.CharField(blank=True, db_index=True, default="", max_length=100),
        ),
    ]

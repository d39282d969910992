from django.db import migrations, models

import accounts.models.user


class Migration(migrations.Migration):
    """Sessions hang on a stamp as well as on the password."""

    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="sign_in_stamp",
            field=models.CharField(default=accounts.models.user.new_stamp, editable=False, max_length=32),
        ),
    ]

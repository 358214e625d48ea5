"""The table of kicks, as it was first."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            name="SavedKick",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("owner", models.CharField(max_length=80)),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                ("favourite", models.BooleanField(default=False)),
                ("keywords", models.JSONField(default=list)),
                ("negative", models.JSONField(default=list)),
                ("attributes", models.JSONField(default=dict)),
                ("guidance", models.FloatField()),
                ("seed", models.BigIntegerField()),
                ("number", models.PositiveIntegerField()),
                ("amount", models.FloatField(blank=True, null=True)),
                ("tune", models.FloatField(default=0.0)),
                ("decay", models.FloatField(default=1.0)),
                ("seconds", models.FloatField(default=2.0)),
                ("packed", models.BinaryField()),
                ("peaks", models.BinaryField()),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="variations",
                        to="neurdsp_kick.savedkick",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["owner", "-id"], name="neurdsp_kick_owner"),
                    models.Index(fields=["owner", "favourite", "-id"], name="neurdsp_kick_favourite"),
                ],
            },
        ),
    ]

"""Kicks that are audio, and the queue of calls that make them."""

import uuid

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("neurdsp_kick", "0001_initial")]

    operations = [
        migrations.AddField("savedkick", "editable", models.BooleanField(default=True)),
        migrations.CreateModel(
            name="Job",
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
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("wishes", models.JSONField()),
                ("seed", models.BigIntegerField()),
                ("n", models.PositiveIntegerField()),
                ("done", models.PositiveIntegerField(default=0)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("claim", models.CharField(blank=True, max_length=16)),
                ("beat", models.DateTimeField(blank=True, null=True)),
                ("kicks", models.JSONField(default=list)),
                ("error", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "ordering": ("id",),
                "indexes": [
                    models.Index(fields=["state", "id"], name="neurdsp_kick_job_state"),
                    models.Index(fields=["owner", "state"], name="neurdsp_kick_job_owner"),
                ],
            },
        ),
    ]

"""Who acts: customers, staff, and the service users that API keys stand for."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.functional import cached_property
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework_api_key.models import AbstractAPIKey


class User(AbstractUser):
    """A customer, a member of staff, or a service; what it may do comes from its groups."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    token_epoch = models.PositiveIntegerField(
        db_default=0, editable=False, help_text="Grows when all tokens of the user are revoked."
    )

    @cached_property
    def has_second_factor(self) -> bool:
        """Whether the password alone does not sign this user in."""
        return bool(TOTPDevice.objects.filter(user=self, confirmed=True).exists())


class ApiKey(AbstractAPIKey):
    """A credential of a service user; the key itself is shown once and stored as a hash."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"

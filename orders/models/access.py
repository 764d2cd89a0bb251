"""Who acts: customers, staff, and the service users that API keys stand for."""

from __future__ import annotations

import uuid
from functools import cache

from django.contrib.auth.models import AbstractUser
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.functions import Upper
from django.utils.functional import cached_property
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework_api_key.models import AbstractAPIKey

from orderservice.postgresql import prepared
from orderservice.postgresql.fetching import columns, names

_PERMISSIONS = """
    SELECT app_label || '.' || codename
      FROM auth_permission AS permission
      JOIN django_content_type AS type ON type.id = permission.content_type_id
     WHERE permission.id IN (
               SELECT permission_id FROM orders_user_user_permissions WHERE user_id = {user}
                UNION ALL
               SELECT permission_id FROM auth_group_permissions
                 JOIN orders_user_groups USING (group_id) WHERE user_id = {user})
"""
_PERMISSIONS_OF_USER = _PERMISSIONS.format(user="%(user)s")


class User(AbstractUser):
    """A customer, a member of staff, or a service; what it may do comes from its groups.

    Permissions are asked for by nearly every call of staff, and Django's backend takes two
    statements of the ORM for them. Here they are one, and the same: a user's own and the groups'.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    token_epoch = models.PositiveIntegerField(
        db_default=0, editable=False, help_text="Grows when all tokens of the user are revoked."
    )

    class Meta(AbstractUser.Meta):
        # Whoever has forgotten a password asks by the address, and anybody may ask.
        indexes = [models.Index(Upper("email"), name="user_email_folded")]

    @cached_property
    def _permissions(self) -> frozenset[str]:
        with prepared() as cursor:
            cursor.execute(_PERMISSIONS_OF_USER, {"user": self.pk})
            return frozenset(name for (name,) in cursor.fetchall())

    def get_all_permissions(self, obj: models.Model | None = None) -> set[str]:
        """Return the names of all that this user may do."""
        if self.is_superuser:
            return super().get_all_permissions(obj)
        return set(self._permissions) if self.is_active and obj is None else set()

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        """Tell whether this user may do something; on single objects nobody has permissions."""
        if not self.is_active or self.is_superuser:
            return self.is_active
        return obj is None and perm in self._permissions

    def has_module_perms(self, app_label: str) -> bool:
        """Tell whether this user may do anything at all in an app."""
        if not self.is_active or self.is_superuser:
            return self.is_active
        return any(name.startswith(f"{app_label}.") for name in self._permissions)

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

    @classmethod
    def of_prefix(cls, prefix: str) -> ApiKey | None:
        """Return the key of a prefix, whatever has become of it, with its user and their rights."""
        with prepared() as cursor:
            cursor.execute(_key_and_holder(), [prefix])
            row = cursor.fetchone()
        if row is None:
            return None
        own = names(cls)
        key = cls.from_db(DEFAULT_DB_ALIAS, own, row[: len(own)])
        key.user = User.from_db(DEFAULT_DB_ALIAS, names(User), row[len(own) : -1])
        key.user._permissions = frozenset(row[-1])
        return key


@cache
def _key_and_holder() -> str:
    """Return the SELECT of a key with its user, which each call with a key begins with."""
    return (
        f"SELECT {columns(ApiKey, 'key')}, {columns(User, 'holder')},"
        f" ARRAY({_PERMISSIONS.format(user='holder.id')}) FROM orders_apikey AS key"
        " JOIN orders_user AS holder ON holder.id = key.user_id WHERE key.prefix = %s"
    )
